import { basename, dirname, join } from 'node:path'
import { usage } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import { openSafetensors, openShardedSafetensors } from './source.js'

const INDEX = '.safetensors.index.json'

/** Goldens hold inputs and outputs, not weights. */
const isModelFile = (name: string): boolean => name.endsWith('.safetensors') && !name.startsWith('golden')

const found = (file: string): Found => ({
  directories: [dirname(file)],
  notes: [],
  open: () => ({ source: file.endsWith(INDEX) ? openShardedSafetensors(file) : openSafetensors(file) }),
})

export const safetensors: Container = {
  title: '.safetensors',
  byName(path) {
    const name = basename(path)
    return name.endsWith('.safetensors') || name.endsWith(INDEX) ? found(path) : null
  },
  byBytes: (path, kind) => (kind === 'safetensors' ? found(path) : null),
  inDirectory(directory, names) {
    const index = names.find((name) => name === `model${INDEX}`) ?? names.find((name) => name.endsWith(INDEX))
    if (index !== undefined) return found(join(directory, index))
    const all = names.filter(isModelFile).sort()
    const bases = all.filter((name) => !name.startsWith('adapter_model'))
    const files = bases.length > 0 || names.includes('pytorch_model.bin') ? bases : all
    const file = files.find((name) => name === 'model.safetensors') ?? (files.length === 1 ? files[0] : undefined)
    if (file !== undefined) return found(join(directory, file))
    if (files.length === 0) return null
    throw usage(`${directory} holds several models: ${files.join(', ')}`, { hint: 'give the one you mean' })
  },
}
