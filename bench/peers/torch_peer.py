"""PyTorch, inference and training step: as the paper runs it (NCHW, eager), or the fastest of its own ways here.

python torch_peer.py --way paper|best --work inference|training --data DIR --network NAME --threads N
"""

import argparse
import os
import shutil
import sys

import protocol

parser = argparse.ArgumentParser(add_help=False)
parser.add_argument('--way', choices=('paper', 'best'), required=True)
parser.add_argument('--work', choices=('inference', 'training'), required=True)
own, rest = parser.parse_known_args()
sys.argv[1:] = rest
options = protocol.options()
# Compiled code is kept with the rest of the benchmark's files; one compiler at a time, none that stays.
os.environ.setdefault('TORCHINDUCTOR_CACHE_DIR', str((options.data / 'inductor').resolve()))
os.environ['TORCHINDUCTOR_COMPILE_THREADS'] = '1'
try:
    import torch
    from data import Data
    from training import make_step
except ImportError as error:
    protocol.skip(str(error))

torch.set_num_threads(options.threads)
data = Data(options.data, options.network)
x, target = torch.from_numpy(data.input), torch.from_numpy(data.target)


def load(channels_last):
    """The network with the exported weights, and its input, in a memory format."""
    from networks import named_weights, untrained

    network = untrained(options.network).eval()
    values = data.weights()
    with torch.no_grad():
        for name, tensor in named_weights(network):
            tensor.copy_(torch.from_numpy(values[name].copy()))
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return network.to(memory_format=layout), x.to(memory_format=layout)


def inference(compiled, channels_last):
    """(a function that runs the network once, its error)"""
    from networks import WithSigmoid

    network, image = load(channels_last)
    model = WithSigmoid(network)
    if compiled:
        from torch._inductor import config

        config.freezing = True
        model = torch.compile(model)

    def run():
        with torch.no_grad():
            return model(image)

    return run, protocol.max_error(run().numpy(), data.output)


def training(compiled, channels_last):
    """(a function that takes one step, its error: the worst of the first losses)"""
    network, image = load(channels_last)
    step = make_step(network, image, target, torch.compile(network) if compiled else None)
    reference = data.record['losses']
    return step, protocol.max_error([step().item() for _ in reference], reference)


make = {'inference': inference, 'training': training}[own.work]
freezing = ' with freezing' if own.work == 'inference' else ''
WAYS = {'NCHW, eager': (False, False), 'channels_last, eager': (False, True)}
if shutil.which(os.environ.get('CXX', 'g++')) or shutil.which('clang++'):
    WAYS[f'torch.compile{freezing}, NCHW'] = (True, False)
    WAYS[f'torch.compile{freezing}, channels_last'] = (True, True)


def fastest():
    """Each way that works here: its setting, function and error; the one with the shortest run of three first."""
    candidates = []
    for setting, way in WAYS.items():
        try:
            run, error = make(*way)
            run()
            time = min(protocol.milliseconds(run) for _ in range(3))
            candidates.append((time, setting, run, error))
            print(f'{setting}: {time:.0f} ms, error {error:.1e}', file=sys.stderr)
        except Exception as error:  # a compiler that fails leaves the other ways
            print(f'{setting}: {error}', file=sys.stderr)
    right = [c for c in candidates if c[3] <= 1e-3]
    return min(right or candidates, key=lambda c: c[0])


if own.way == 'paper':
    setting = 'NCHW, eager'
    run, error = make(*WAYS[setting])
else:
    _, setting, run, error = fastest()
    if 'compile' not in ' '.join(WAYS):
        setting += ' (no C++ compiler for torch.compile)'
protocol.serve(
    run,
    name='torch as the paper runs it' if own.way == 'paper' else "torch's best",
    version=torch.__version__,
    setting=setting,
    threads=torch.get_num_threads(),
    error=error,
)
