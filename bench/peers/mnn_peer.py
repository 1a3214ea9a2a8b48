"""MNN in float32 with the small Winograd tile: with its default tile it is off by 2e-3 on U-Net and 3e-3 on PyConvU-Net."""

from importlib.metadata import version

import protocol

options = protocol.options()
try:
    import MNN.expr as expr
    import MNN.nn
    import numpy as np
    from data import Data
except ImportError as error:
    protocol.skip(str(error))

data = Data(options.data, options.network)
path, reason = data.model('mnn')
if path is None:
    protocol.skip(reason)
WINOGRAD_MEMORY_LEVEL = 3  # MNN's number of this hint
runtime = MNN.nn.create_runtime_manager(({'backend': 'CPU', 'precision': 'high', 'numThread': options.threads},))
runtime.set_hint(WINOGRAD_MEMORY_LEVEL, 1)
module = MNN.nn.load_module_from_file(str(path), ['x'], ['y'], runtime_manager=runtime)
image = expr.const(data.input, list(data.shape), expr.NCHW)
# The module wants its own layout; the conversion is not part of the time.
image = expr.convert(image, expr.NC4HW4)


def run():
    return np.array(module.forward(image).read())


protocol.serve(
    run,
    name='MNN',
    version=version('MNN'),
    setting='Winograd level 1 (set_hint(3, 1)), precision high',
    threads=options.threads,
    error=protocol.max_error(run(), data.output),
)
