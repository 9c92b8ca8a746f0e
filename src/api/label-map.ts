import { utf8Text } from '../base/bytes.js'
import { parseJson } from '../base/json-text.js'
import { largestOf } from '../base/largest.js'
import { refuseForeign } from '../formats/core/explain.js'
import type { FilePort } from '../formats/core/file-port.js'
import { withFile, type RangedFile } from '../formats/core/file.js'
import { basename, join } from '../formats/core/paths.js'
import { ByteCursor } from '../formats/pickle/cursor.js'
import { PickleMachine } from '../formats/pickle/machine.js'
import { PickleDict, PickleList, PLAIN_HOST, type PickleValue } from '../formats/pickle/values.js'

/**
 * Files of class names that training scripts leave next to the weights: `label2id.pkl` of the BERT-NER repositories,
 * `label_list.pkl`, `id2label.json` …: names by number, numbers by name, or a list of names.
 */
const NAME = /^(?:label|tag)s?_?(?:2|_to_)?(?:id|idx|index|map|list)\.(?:pkl|pickle|json)$/i
const PLAIN_LIST = /^(?:labels|classes|tags)\.(?:pkl|pickle|json)$/i
const INVERSE = /^(?:id|idx|index)_?(?:2|_to_)_?(?:label|tag)s?\.(?:pkl|pickle|json)$/i
/** A file of names is small. */
const MAX_BYTES = 1 << 20

type Pairs = readonly (readonly [key: unknown, value: unknown])[]

/** Keys and values of a pickle; a list has its indices as keys. */
function pickled(value: PickleValue): Pairs | null {
  if (value instanceof PickleDict) return [...value.entries]
  return value instanceof PickleList ? value.items.map((item, i) => [i, item] as const) : null
}

function parsedJson(text: string): Pairs | null {
  const value: unknown = parseJson(text)
  return typeof value === 'object' && value !== null ? Object.entries(value) : null
}

const asIndex = (value: unknown): number | null =>
  (typeof value === 'number' && Number.isInteger(value) && value >= 0) ||
  (typeof value === 'string' && /^\d+$/.test(value))
    ? Number(value)
    : null

/** Names in the order of their numbers; a missing name is its number. Null if these are not names of classes. */
function namesOf(pairs: Pairs): readonly string[] | null {
  const byName = pairs.every(([key, value]) => typeof key === 'string' && typeof value === 'number')
  const named = pairs.map(([key, value]) =>
    byName ? ([asIndex(value), key] as const) : ([asIndex(key), value] as const),
  )
  const names = new Map<number, string>()
  for (const [index, name] of named) {
    if (index === null || typeof name !== 'string' || index > 2 * pairs.length + 16) return null
    names.set(index, name)
  }
  if (names.size === 0) return null
  return Array.from({ length: largestOf(names.keys()) + 1 }, (_, i) => names.get(i) ?? String(i))
}

function parseMap(file: RangedFile): readonly string[] | null {
  if (file.size > MAX_BYTES) return null
  try {
    const pairs = file.path.toLowerCase().endsWith('.json')
      ? parsedJson(utf8Text(file.bytes(0, file.size)))
      : pickled(new PickleMachine(new ByteCursor(file, 0, file.size), PLAIN_HOST).run())
    return pairs === null ? null : namesOf(pairs)
  } catch {
    // A file with other contents has no names.
    return null
  }
}

/**
 * Class names from a file of numbered names in `directory`, and its path; null if there is none.
 * @throws AlbertkitError if such a file cannot be opened, or is a pointer of Git LFS or a page in its place
 */
export function readLabelMap(
  files: FilePort,
  directory: string,
): { readonly file: string; readonly labels: readonly string[] } | null {
  for (const entry of [...files.list(directory)].sort()) {
    const name = basename(entry)
    if (![NAME, INVERSE, PLAIN_LIST].some((pattern) => pattern.test(name))) continue
    const file = join(directory, name)
    refuseForeign(files, file)
    const labels = withFile(files, file, parseMap)
    if (labels !== null) return { file, labels }
  }
  return null
}
