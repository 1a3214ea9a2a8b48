"""Writes the .tflite models for LiteRT.js into the folder that export.py filled.

    python -m pip install -r bench/peers/requirements-litert.txt
    python bench/peers/export_tflite.py bench/.work pyconvunet unet
"""

import os
import sys
from pathlib import Path

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
import tensorflow as tf
from data import Data
from networks_tf import probabilities


def main(folder, names):
    for name in names:
        data = Data(folder, name)
        weights = data.weights()
        batch, channels, height, width = data.shape

        @tf.function(input_signature=[tf.TensorSpec((batch, height, width, channels), tf.float32, 'x')])
        def network(x):
            return probabilities(name, weights, x)

        function = network.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
        (folder / f'{name}.tflite').write_bytes(converter.convert())


if __name__ == '__main__':
    main(Path(sys.argv[1]), sys.argv[2:])
