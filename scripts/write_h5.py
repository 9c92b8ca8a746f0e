"""Writes an HDF5 file of noise: the names and shapes come from standard input, as JSON `{"name": [shape]}`.

    python scripts/write_h5.py OUT.h5 < shapes.json
"""
import json
import sys

import h5py
import numpy as np

rng = np.random.default_rng(0)
with h5py.File(sys.argv[1], 'w') as file:
    for name, shape in json.load(sys.stdin).items():
        count = int(np.prod(shape))
        data = file.create_dataset(name, shape, 'float32')
        rows = max(1, min(shape[0], (1 << 22) * shape[0] // count))
        for start in range(0, shape[0], rows):
            part = [min(rows, shape[0] - start), *shape[1:]]
            data[start:start + rows] = rng.standard_normal(part, 'float32') * np.float32(0.02)
