import { parseJson } from '../base/json-text.js'
import { usage } from '../base/errors.js'
import { refuseForeign } from '../formats/core/explain.js'
import { exists, type FilePort } from '../formats/core/file-port.js'
import { readText } from '../formats/core/file.js'
import { join } from '../formats/core/paths.js'
import type { AlbertModel } from '../model/albert.js'
import type { ModelConfig } from '../model/config.js'
import { readLabelMap } from './label-map.js'

/** Lines of a file of labels: the largest classifiers have some ten thousand classes. */
const MAX_LABELS = 100_000

/** Path of `labels.txt` next to the model, or null. */
export function findLabels(files: FilePort, directory: string): string | null {
  const file = join(directory, 'labels.txt')
  return exists(files, file) ? file : null
}

/** True for a JSON array or object, which class names have never looked like. */
function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    return typeof parseJson(text) === 'object'
  } catch {
    return false
  }
}

/** Reads the labels in a `labels.txt`, one per line. @throws AlbertkitError if it cannot be read */
export function readLabelLines(files: FilePort, file: string): readonly string[] {
  refuseForeign(files, file)
  const text = readText(files, file).replace(/^\uFEFF/, '')
  const lines = text.split(/\r?\n/, MAX_LABELS + 1)
  if (lines.length > MAX_LABELS)
    throw usage(`the file has more than ${MAX_LABELS} lines`, { code: 'limit-exceeded', file })
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop()
  if (isJson(lines.join('\n')))
    throw usage('the file is JSON, not one name per line', {
      code: 'labels-mismatch',
      file,
      hint: "write the names one per line, e.g. with `jq -r '.[]'`",
    })
  return lines
}

/** Model to read class names for. */
export interface LabelOwner {
  readonly files: FilePort
  readonly directory: string
  readonly config: ModelConfig
  readonly model?: AlbertModel
}

/**
 * Class names in order: from `labels.txt`, else the configuration, else a file of numbered names (`label2id.pkl`) that
 * has as many as the classifier has classes. Null if there are none.
 */
export function readLabels({ files, directory, config, model }: LabelOwner): readonly string[] | null {
  const file = findLabels(files, directory)
  if (file !== null) return readLabelLines(files, file)
  if (config.id2label !== null) {
    const named = Object.entries(config.id2label).sort(([a], [b]) => Number(a) - Number(b))
    return named.map(([, label]) => label)
  }
  const classes = model?.classifier?.weight.shape[0]
  if (classes === undefined) return null
  const map = readLabelMap(files, directory)
  return map?.labels.length === classes ? map.labels : null
}

/** Class names from files next to the weights, even if their number differs; null if there are none. */
export function namesBeside(files: FilePort, directory: string): readonly string[] | null {
  const file = findLabels(files, directory)
  try {
    return file === null ? (readLabelMap(files, directory)?.labels ?? null) : readLabelLines(files, file)
  } catch {
    // Commands that need the names say what is wrong with the file.
    return null
  }
}
