"""onnxruntime, its native build on the CPU."""

import protocol

options = protocol.options()
try:
    import onnxruntime
    from data import Data
except ImportError as error:
    protocol.skip(str(error))

data = Data(options.data, options.network)
path, reason = data.model('onnx')
if path is None:
    protocol.skip(reason)
settings = onnxruntime.SessionOptions()
settings.intra_op_num_threads = options.threads
settings.inter_op_num_threads = 1
# Threads that spin between the runs would slow down whoever is timed next.
settings.add_session_config_entry('session.force_spinning_stop', '1')
session = onnxruntime.InferenceSession(str(path), settings, providers=['CPUExecutionProvider'])
feeds = {'x': data.input}


def run():
    return session.run(['y'], feeds)[0]


protocol.serve(
    run,
    name='onnxruntime',
    version=onnxruntime.__version__,
    setting='CPUExecutionProvider, all graph optimisations',
    threads=options.threads,
    error=protocol.max_error(run(), data.output),
)
