"""Writes what every contender starts from into a folder: weights, input, target, reference outputs, ONNX and MNN models.

    python bench/peers/export.py bench/.work pyconvunet unet

bench/run.mjs calls it where the folder is empty or older than these scripts.
"""

import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from networks import (
    INPUT_SHAPE,
    WithSigmoid,
    example_input,
    example_target,
    multiply_accumulates,
    named_weights,
    prepared,
)
from training import training_losses


def write_weights(network, path):
    """`path`.bin, and for each weight its offset in float32 and its shape."""
    places, offset = {}, 0
    with open(path, 'wb') as file:
        for name, tensor in named_weights(network):
            values = np.ascontiguousarray(tensor.detach().numpy(), np.float32)
            places[name] = {'offset': offset, 'shape': list(values.shape)}
            file.write(values.tobytes())
            offset += values.size
    return places


def write_mnn(onnx_path, mnn_path):
    """Converts by the command that comes with MNN; the reason where it cannot."""
    try:
        import MNN  # noqa: F401
    except ImportError as error:
        return str(error)
    code = 'import sys; from MNN.tools import mnnconvert; sys.argv[0] = "mnnconvert"; mnnconvert.main()'
    flags = ['-f', 'ONNX', '--modelFile', str(onnx_path), '--MNNModel', str(mnn_path), '--bizCode', 'bench']
    result = subprocess.run([sys.executable, '-c', code, *flags], capture_output=True, text=True)
    return None if mnn_path.exists() else result.stdout[-500:] + result.stderr[-500:]


def write_onnx(network, path):
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        return str(error)
    torch.onnx.export(
        WithSigmoid(network), (example_input(),), str(path), dynamo=False, opset_version=17,
        input_names=['x'], output_names=['y'],
    )  # fmt: skip
    return None


def main(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    x, target = example_input(), example_target()
    x.numpy().tofile(folder / 'input-nchw.f32')
    np.ascontiguousarray(x.permute(0, 2, 3, 1).numpy()).tofile(folder / 'input-nhwc.f32')
    target.numpy().tofile(folder / 'target.f32')
    record_path = folder / 'data.json'
    networks = json.loads(record_path.read_text())['networks'] if record_path.exists() else {}
    for name in names:
        network = prepared(name)
        # The reference is computed in double precision, so that no contender is measured by its own rounding.
        exact = copy.deepcopy(network).double()
        with torch.no_grad():
            torch.sigmoid(exact(x.double())).float().numpy().tofile(folder / f'{name}-output.f32')
        places = write_weights(network, folder / f'{name}-weights.bin')
        onnx_path, mnn_path = folder / f'{name}.onnx', folder / f'{name}.mnn'
        missing = {'onnx': write_onnx(network, onnx_path)}
        missing['mnn'] = missing['onnx'] or write_mnn(onnx_path, mnn_path)
        networks[name] = {
            'multiplyAccumulates': multiply_accumulates(network),
            'losses': training_losses(exact, x.double(), target.double()),
            'weights': places,
            'missing': {kind: reason for kind, reason in missing.items() if reason is not None},
        }
    record = {'torch': torch.__version__, 'inputShape': INPUT_SHAPE, 'networks': networks}
    record_path.write_text(json.dumps(record))


if __name__ == '__main__':
    main(Path(sys.argv[1]), sys.argv[2:])
