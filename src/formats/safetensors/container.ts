import { usage } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import type { FilePort } from '../core/file-port.js'
import { basename, dirname, join } from '../core/paths.js'
import { openSafetensors, openShardedSafetensors } from './source.js'

const INDEX = '.safetensors.index.json'

/** Goldens hold inputs and outputs, not weights. */
const isModelFile = (name: string): boolean => name.endsWith('.safetensors') && !name.startsWith('golden')

const found = (files: FilePort, file: string): Found => ({
  directories: [dirname(file)],
  notes: [],
  open: () => ({
    source: file.endsWith(INDEX) ? openShardedSafetensors(files, file) : openSafetensors(files, file),
  }),
})

export const safetensors: Container = {
  title: '.safetensors',
  byName(files, path) {
    const name = basename(path)
    return name.endsWith('.safetensors') || name.endsWith(INDEX) ? found(files, path) : null
  },
  byBytes: (files, path, kind) => (kind === 'safetensors' ? found(files, path) : null),
  inDirectory(files, directory, names) {
    const index = names.find((name) => name === `model${INDEX}`) ?? names.find((name) => name.endsWith(INDEX))
    if (index !== undefined) return found(files, join(directory, index))
    const all = names.filter(isModelFile).sort()
    const bases = all.filter((name) => !name.startsWith('adapter_model'))
    const models = bases.length > 0 || names.includes('pytorch_model.bin') ? bases : all
    const file = models.find((name) => name === 'model.safetensors') ?? (models.length === 1 ? models[0] : undefined)
    if (file !== undefined) return found(files, join(directory, file))
    if (models.length === 0) return null
    throw usage(`${directory} holds several models: ${models.join(', ')}`, {
      code: 'choice-ambiguous',
      hint: 'give the one you mean',
    })
  },
}
