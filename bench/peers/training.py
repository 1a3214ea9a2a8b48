"""One training step in PyTorch: forward, binary cross-entropy from the logits, backward, Adam."""

import torch

LEARNING_RATE = 1e-3
# So many losses are compared with the reference: after more steps of Adam two exact implementations differ by 1e-3.
CHECKED_STEPS = 2


def make_step(network, x, target, call=None):
    """A function that takes one step and returns the loss before it; `call` is the compiled network, if it is not itself."""
    call = network if call is None else call
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    loss_of = torch.nn.BCEWithLogitsLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(call(x), target)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def training_losses(network, x, target):
    """The losses of the first steps."""
    step = make_step(network, x, target)
    return [step().item() for _ in range(CHECKED_STEPS)]
