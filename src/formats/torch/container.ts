import { basename, dirname, join } from 'node:path'
import { usage } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import { RangedFile } from '../core/file.js'
import { sniff } from '../core/sniff.js'
import { isLegacyTorch } from './legacy-file.js'

const INDEX = '.bin.index.json'
/** Lightning calls its files `.ckpt`, older examples theirs `.pth.tar`. */
const SUFFIX = /\.(bin|pt|pth|ckpt|pth\.tar|pt\.tar)$/

/** What transformers and PyTorch's own examples save beside a model and is none. */
const NO_MODEL = /^(training_args|optimizer|scheduler|rng_state.*|scaler)\.(bin|pt|pth)$/

const found = (file: string): Found => ({
  directories: [dirname(file)],
  notes: [],
  open: async (options) => {
    const { openShardedTorch, openTorch } = await import('./source.js')
    return { source: await (file.endsWith(INDEX) ? openShardedTorch : openTorch)(file, options) }
  },
})

/** A pickle of any other program is none of ours, whatever its suffix; an archive may be one of a checkpoint folder. */
function looksLikeTorch(path: string): boolean {
  const kind = sniff(path)
  if (kind === 'pickle') return true
  if (kind === 'zip') return SUFFIX.test(path)
  if (!SUFFIX.test(path)) return false
  const file = new RangedFile(path)
  try {
    return isLegacyTorch(file)
  } finally {
    file.close()
  }
}

export const torch: Container = {
  title: 'PyTorch (.bin, .pt)',
  byName(path) {
    if (path.endsWith(INDEX)) return found(path)
    return SUFFIX.test(path) && looksLikeTorch(path) ? found(path) : null
  },
  byBytes: (path, kind) => (kind === 'pickle' ? found(path) : null),
  inDirectory(directory, names) {
    const index = names.find((name) => name === `pytorch_model${INDEX}`) ?? names.find((name) => name.endsWith(INDEX))
    if (index !== undefined) return found(join(directory, index))
    const files = names.filter((name) => SUFFIX.test(name) && !NO_MODEL.test(name)).sort()
    const usual = files.find((name) => name === 'pytorch_model.bin')
    if (usual !== undefined) return found(join(directory, usual))
    const all = files.filter((name) => looksLikeTorch(join(directory, name)))
    const bases = all.filter((name) => !name.startsWith('adapter_model'))
    const models = bases.length > 0 ? bases : all
    const [file] = models
    if (file === undefined) return null
    if (models.length === 1) return found(join(directory, basename(file)))
    throw usage(`${directory} holds several models: ${models.join(', ')}`, { hint: 'give the one you mean' })
  },
}
