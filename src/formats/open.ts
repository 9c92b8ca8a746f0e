import { existsSync } from 'node:fs'
import { malformed } from '../errors.js'
import { locate } from './locate.js'
import { openSafetensors, openShardedSafetensors } from './safetensors/source.js'
import { KIND_WORDS, sniff } from './sniff.js'
import type { TensorSource } from './source.js'
import { openBundle, type BundleOptions } from './tf-bundle/source.js'

export { locate, modelDirectory, type Location } from './locate.js'

/** Names the kind of a file that stands where an index should: a saved error page, a picture … */
function checkIndex(file: string): void {
  if (!existsSync(file))
    throw malformed('the .index file of the checkpoint is missing', {
      file,
      hint: 'a checkpoint is its .index and every .data-… file together',
    })
  const kind = sniff(file)
  if (kind === 'unknown' || kind === 'text' || kind === 'json') return
  throw malformed(`the index is ${KIND_WORDS[kind]}`, { file, offset: 0, hint: 'fetch the .index file again' })
}

/**
 * Opens the model file that `path` means. Async, because some containers need a runtime that loads that way.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
// eslint-disable-next-line @typescript-eslint/require-await -- the contract is async for containers to come
export async function openSource(path: string, options: BundleOptions = {}): Promise<TensorSource> {
  const found = locate(path)
  if (found.kind !== 'tf-bundle')
    return found.kind === 'safetensors' ? openSafetensors(found.file) : openShardedSafetensors(found.file)
  checkIndex(`${found.prefix}.index`)
  const source = openBundle(found.prefix, options)
  return found.notes.length === 0 ? source : withNotes(source, found.notes)
}

/** The same source with more to say. */
const withNotes = (source: TensorSource, notes: readonly string[]): TensorSource => ({
  format: source.format,
  files: source.files,
  tensors: source.tensors,
  notes: [...source.notes, ...notes],
  read: (name, offset, target) => { source.read(name, offset, target) },
  verifyChecksum: (name) => { source.verifyChecksum(name) },
  close: () => { source.close() },
}) // prettier-ignore
