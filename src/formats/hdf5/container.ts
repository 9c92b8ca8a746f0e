import { dirname, join } from 'node:path'
import { usage } from '../../errors.js'
import type { Container, Found } from '../container.js'
import { sniff } from '../sniff.js'
import { openHdf5, openShardedHdf5 } from './source.js'

const INDEX = '.h5.index.json'
const SUFFIX = /\.(h5|hdf5)$/
/** What transformers and Keras call theirs. */
const USUAL = ['tf_model.h5', 'model.weights.h5']

const found = (file: string): Found => ({
  directories: [dirname(file)],
  notes: [],
  open: async () => ({ source: await (file.endsWith(INDEX) ? openShardedHdf5(file) : openHdf5(file)) }),
})

/** HDF5 files of weights: transformers' TensorFlow models, and what Keras saves. A `.keras` file is a zip of one. */
export const hdf5: Container = {
  title: 'Keras (.h5)',
  byName(path) {
    if (path.endsWith(INDEX)) return found(path)
    return SUFFIX.test(path) && sniff(path) !== 'lfs-pointer' ? found(path) : null
  },
  byBytes: (path, kind) => (kind === 'hdf5' ? found(path) : null),
  inDirectory(directory, names) {
    const index = names.find((name) => name === `tf_model${INDEX}`) ?? names.find((name) => name.endsWith(INDEX))
    if (index !== undefined) return found(join(directory, index))
    const files = names.filter((name) => SUFFIX.test(name)).sort()
    const file = USUAL.find((name) => files.includes(name)) ?? (files.length === 1 ? files[0] : undefined)
    if (file !== undefined) return found(join(directory, file))
    if (files.length === 0) return null
    throw usage(`${directory} holds several models: ${files.join(', ')}`, { hint: 'give the one you mean' })
  },
}
