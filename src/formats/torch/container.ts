import { usage } from '../../base/errors.js'
import type { Container, Found } from '../core/container.js'
import type { FilePort } from '../core/file-port.js'
import { withFile } from '../core/file.js'
import { basename, dirname, join } from '../core/paths.js'
import { sniff } from '../core/sniff.js'
import { isLegacyTorch } from './legacy-file.js'

const INDEX = '.bin.index.json'
/** Lightning calls its files `.ckpt`, older examples theirs `.pth.tar`. */
const SUFFIX = /\.(bin|pt|pth|ckpt|pth\.tar|pt\.tar)$/

/** Files that transformers and PyTorch's examples save next to a model and that are not models. */
const NO_MODEL = /^(training_args|optimizer|scheduler|rng_state.*|scaler)\.(bin|pt|pth)$/

const found = (files: FilePort, file: string): Found => ({
  directories: [dirname(file)],
  notes: [],
  open: async (options) => {
    const { openShardedTorch, openTorch } = await import('./source.js')
    return { source: (file.endsWith(INDEX) ? openShardedTorch : openTorch)(files, file, options) }
  },
})

/** True if a file may be PyTorch's: no pickle of another program, and no zip archive of a checkpoint folder. */
function looksLikeTorch(files: FilePort, path: string): boolean {
  const kind = sniff(files, path)
  if (kind === 'pickle') return true
  if (kind === 'zip') return SUFFIX.test(path)
  if (!SUFFIX.test(path)) return false
  return withFile(files, path, isLegacyTorch)
}

export const torch: Container = {
  title: 'PyTorch (.bin, .pt)',
  byName(files, path) {
    if (path.endsWith(INDEX)) return found(files, path)
    return SUFFIX.test(path) && looksLikeTorch(files, path) ? found(files, path) : null
  },
  byBytes: (files, path, kind) => (kind === 'pickle' ? found(files, path) : null),
  inDirectory(files, directory, names) {
    const index = names.find((name) => name === `pytorch_model${INDEX}`) ?? names.find((name) => name.endsWith(INDEX))
    if (index !== undefined) return found(files, join(directory, index))
    const candidates = names.filter((name) => SUFFIX.test(name) && !NO_MODEL.test(name)).sort()
    const usual = candidates.find((name) => name === 'pytorch_model.bin')
    if (usual !== undefined) return found(files, join(directory, usual))
    const all = candidates.filter((name) => looksLikeTorch(files, join(directory, name)))
    const bases = all.filter((name) => !name.startsWith('adapter_model'))
    const models = bases.length > 0 ? bases : all
    const [file] = models
    if (file === undefined) return null
    if (models.length === 1) return found(files, join(directory, basename(file)))
    throw usage(`${directory} holds several models: ${models.join(', ')}`, {
      code: 'choice-ambiguous',
      hint: 'give the one you mean',
    })
  },
}
