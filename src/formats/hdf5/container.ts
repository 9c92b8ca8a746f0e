import { usage } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import { exists, type FilePort } from '../core/file-port.js'
import { basename, dirname, join } from '../core/paths.js'
import { sniff } from '../core/sniff.js'
import { openHdf5, openKerasPreset, openShardedHdf5 } from './source.js'

/** Indices of transformers and of Keras. */
const INDEX = /\.(h5\.index|weights)\.json$/
const SUFFIX = /\.(h5|hdf5)$/
/** Suffix in the examples of bert4keras, which other programs use too. */
const WEIGHTS = '.weights'
/** Usual file names in transformers and Keras. */
const USUAL = ['tf_model.h5', 'model.weights.h5']
/** File of a keras-hub preset with the weights of the head; those of the backbone are in another file. */
const TASK = 'task.weights.h5'
const BACKBONES = ['model.weights.json', 'model.weights.h5']

const found = (files: FilePort, file: string): Found => ({
  directories: [dirname(file)],
  notes: [],
  open: async () => ({ source: await (INDEX.test(file) ? openShardedHdf5(files, file) : openHdf5(files, file)) }),
})

const preset = (files: FilePort, backbone: string, task: string): Found => ({
  directories: [dirname(backbone)],
  notes: [],
  open: async () => ({ source: await openKerasPreset(files, { backbone, task, sharded: INDEX.test(backbone) }) }),
})

/** HDF5 files of weights: transformers' TensorFlow models, and what Keras saves. A `.keras` file is a zip of one. */
export const hdf5: Container = {
  title: 'Keras (.h5)',
  byName(files, path) {
    if (basename(path) === TASK) {
      const backbone = BACKBONES.map((name) => join(dirname(path), name)).find((file) => exists(files, file))
      if (backbone !== undefined) return preset(files, backbone, path)
    }
    if (INDEX.test(path)) return found(files, path)
    return SUFFIX.test(path) && sniff(files, path) !== 'lfs-pointer' ? found(files, path) : null
  },
  byBytes: (files, path, kind) => (kind === 'hdf5' ? found(files, path) : null),
  inDirectory(files, directory, names) {
    const backbone = BACKBONES.find((name) => names.includes(name))
    if (backbone !== undefined && names.includes(TASK))
      return preset(files, join(directory, backbone), join(directory, TASK))
    const index = names.find((name) => name === 'tf_model.h5.index.json') ?? names.find((name) => INDEX.test(name))
    if (index !== undefined) return found(files, join(directory, index))
    const candidates = names
      .filter((name) => SUFFIX.test(name) || (name.endsWith(WEIGHTS) && sniff(files, join(directory, name)) === 'hdf5'))
      .sort()
    const file =
      USUAL.find((name) => candidates.includes(name)) ?? (candidates.length === 1 ? candidates[0] : undefined)
    if (file !== undefined) return found(files, join(directory, file))
    if (candidates.length === 0) return null
    throw usage(`${directory} holds several models: ${candidates.join(', ')}`, {
      code: 'choice-ambiguous',
      hint: 'give the one you mean',
    })
  },
}
