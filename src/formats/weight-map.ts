import type { ErrorCode } from '../base/error-codes.js'
import { malformed, type AlbertkitError } from '../base/errors.js'
import type { FilePort } from './core/file-port.js'
import { readTextUpTo } from './core/file.js'
import { MAX_SHARDS, NameBudget } from './core/limits.js'
import { basename } from './core/paths.js'
import { parseStrict, StrictJsonError, StrictObject, type StrictValue } from './core/json.js'

/** Bytes of an index, which lists only names: those of as many tensors as may be (limits.ts) take 20 MB. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024

/**
 * Reads the `weight_map` of a Hugging Face `*.index.json`, which maps tensors to files, or of a Keras `*.weights.json`,
 * which maps layers to one or more files.
 * @param lists true if a name may have several files
 * @returns pairs of tensor (layer) and file name, in the order of the index
 * @throws AlbertkitError `malformed`, also if a file outside the directory of the index is named
 */
export function readWeightMap(files: FilePort, path: string, lists = false): [name: string, shard: string][] {
  const fail = (what: string, tensor?: string, code: ErrorCode = 'header-invalid'): AlbertkitError =>
    malformed(what, {
      code,
      file: path,
      ...(tensor === undefined ? {} : { tensor }),
      hint: 'an index has a weight_map from tensor to file',
    })
  const text = readTextUpTo(files, path, MAX_INDEX_BYTES)
  if (text === null) throw fail('the index is larger than 64 MiB', undefined, 'limit-exceeded')
  let parsed: StrictValue
  try {
    parsed = parseStrict(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    if (!(error instanceof StrictJsonError)) throw error
    throw fail(`the index is not JSON: ${error.message}`)
  }
  const map = parsed instanceof StrictObject ? parsed.get('weight_map') : undefined
  if (!(map instanceof StrictObject)) throw fail('the index has no weight_map')
  if (map.entries.length === 0) throw fail('the weight_map of the index is empty')
  const seen = new Set<string>()
  const shards = new Set<string>()
  const names = new NameBudget((what, code) => fail(what, undefined, code))
  return map.entries.flatMap(([name, value]) => {
    names.add(name.length)
    if (seen.has(name)) throw fail('the index lists the tensor twice', name, 'tensor-duplicate')
    seen.add(name)
    return (lists && Array.isArray(value) ? value : [value]).map((shard): [string, string] => {
      if (typeof shard !== 'string' || shard === '' || shard !== basename(shard) || /[\\\0]|^\.{1,2}$/.test(shard))
        throw fail('the index names a file outside its own directory', name, 'path-escapes')
      if (shards.add(shard).size > MAX_SHARDS)
        throw fail(`the index names more than ${MAX_SHARDS} files`, undefined, 'limit-exceeded')
      return [name, shard]
    })
  })
}
