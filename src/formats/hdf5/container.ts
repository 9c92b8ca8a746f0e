import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { usage } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import { sniff } from '../core/sniff.js'
import { openHdf5, openKerasPreset, openShardedHdf5 } from './source.js'

/** Indices of transformers and of Keras. */
const INDEX = /\.(h5\.index|weights)\.json$/
const SUFFIX = /\.(h5|hdf5)$/
/** What transformers and Keras call theirs. */
const USUAL = ['tf_model.h5', 'model.weights.h5']
/** Where a preset of keras-hub keeps the weights of its head, beside those of its backbone. */
const TASK = 'task.weights.h5'
const BACKBONES = ['model.weights.json', 'model.weights.h5']

const found = (file: string): Found => ({
  directories: [dirname(file)],
  notes: [],
  open: async () => ({ source: await (INDEX.test(file) ? openShardedHdf5(file) : openHdf5(file)) }),
})

const preset = (backbone: string, task: string): Found => ({
  directories: [dirname(backbone)],
  notes: [],
  open: async () => ({ source: await openKerasPreset(backbone, task, INDEX.test(backbone)) }),
})

/** HDF5 files of weights: transformers' TensorFlow models, and what Keras saves. A `.keras` file is a zip of one. */
export const hdf5: Container = {
  title: 'Keras (.h5)',
  byName(path) {
    if (basename(path) === TASK) {
      const backbone = BACKBONES.map((name) => join(dirname(path), name)).find((file) => existsSync(file))
      if (backbone !== undefined) return preset(backbone, path)
    }
    if (INDEX.test(path)) return found(path)
    return SUFFIX.test(path) && sniff(path) !== 'lfs-pointer' ? found(path) : null
  },
  byBytes: (path, kind) => (kind === 'hdf5' ? found(path) : null),
  inDirectory(directory, names) {
    const backbone = BACKBONES.find((name) => names.includes(name))
    if (backbone !== undefined && names.includes(TASK)) return preset(join(directory, backbone), join(directory, TASK))
    const index = names.find((name) => name === 'tf_model.h5.index.json') ?? names.find((name) => INDEX.test(name))
    if (index !== undefined) return found(join(directory, index))
    const files = names.filter((name) => SUFFIX.test(name)).sort()
    const file = USUAL.find((name) => files.includes(name)) ?? (files.length === 1 ? files[0] : undefined)
    if (file !== undefined) return found(join(directory, file))
    if (files.length === 0) return null
    throw usage(`${directory} holds several models: ${files.join(', ')}`, { hint: 'give the one you mean' })
  },
}
