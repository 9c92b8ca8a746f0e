"""Makes the HDF5 files of rare kinds: python test/oracle/make_odd_h5.py test/fixtures/formats (needs h5py)."""
import os
import sys

import h5py
import numpy as np

folder = sys.argv[1]
with h5py.File(os.path.join(folder, 'odd.h5'), 'w') as file:
    file['big'] = np.arange(6, dtype='>f4').reshape(2, 3)
    file['half'] = np.array([1, -2.5, 0], 'f2')
    file['bool'] = np.array([True, False])
    file['complex'] = np.zeros(2, 'c8')
    file['null'] = h5py.Empty('f4')
    # As Keras 3 stores bfloat16: 1, -2.5, 3.
    file['bf16'] = np.array([0x3F80, 0xC020, 0x4040], '<u2').view('V2')
    file['bf16'].attrs['dtype'] = 'bfloat16'
with h5py.File(os.path.join(folder, 'virtual.h5'), 'w') as file:
    layout = h5py.VirtualLayout(shape=(4,), dtype='f4')
    layout[:] = h5py.VirtualSource('other.h5', 'x', shape=(4,))
    file.create_virtual_dataset('virtual', layout)
with h5py.File(os.path.join(folder, 'external.h5'), 'w') as file:
    file.create_dataset('storage', shape=(4,), dtype='f4', external=[('/etc/hosts', 0, 16)])
    file['link'] = h5py.ExternalLink('odd.h5', '/half')
