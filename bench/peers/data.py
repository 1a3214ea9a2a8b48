"""What export.py wrote, as numpy arrays."""

import json

import numpy as np


class Data:
    def __init__(self, folder, network):
        self.folder, self.network = folder, network
        record = json.loads((folder / 'data.json').read_text())
        self.shape = tuple(record['inputShape'])
        self.record = record['networks'][network]

    def _read(self, name):
        return np.fromfile(self.folder / name, np.float32)

    @property
    def input(self):
        """[1, 3, height, width]"""
        return self._read('input-nchw.f32').reshape(self.shape)

    @property
    def target(self):
        """[1, 1, height, width], 0 or 1"""
        return self._read('target.f32').reshape(1, 1, *self.shape[2:])

    @property
    def output(self):
        """Reference probabilities, flat."""
        return self._read(f'{self.network}-output.f32')

    def weights(self):
        """{name: array} as the package names them and TensorFlow lays them out."""
        values = self._read(f'{self.network}-weights.bin')
        return {
            name: values[place['offset'] : place['offset'] + int(np.prod(place['shape']))].reshape(place['shape'])
            for name, place in self.record['weights'].items()
        }

    def model(self, kind):
        """(path of the model in a format, or None; why it is missing)"""
        path = self.folder / f'{self.network}.{kind}'
        return (path, '') if path.exists() else (None, self.record['missing'].get(kind, f'{path.name} was not written'))
