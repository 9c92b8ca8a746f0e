import { usage } from '../base/errors.js'
import { exists, type FilePort } from '../formats/core/file-port.js'
import { readText } from '../formats/core/file.js'
import { join } from '../formats/core/paths.js'
import type { ModelConfig } from '../model/config.js'

/** Path of `labels.txt` beside the model, or null. */
export function findLabels(files: FilePort, directory: string): string | null {
  const file = join(directory, 'labels.txt')
  return exists(files, file) ? file : null
}

/** True for a JSON array or object, which class names have never looked like. */
function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

/** Reads the labels in a `labels.txt`, one per line. @throws AlbertkitError if it cannot be read */
export function readLabelLines(files: FilePort, file: string): readonly string[] {
  const lines = readText(files, file)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop()
  if (isJson(lines.join('\n')))
    throw usage('the file is JSON, not one name per line', {
      code: 'labels-mismatch',
      file,
      hint: "write the names one per line, e.g. with `jq -r '.[]'`",
    })
  return lines
}

/** Class names in order, from `labels.txt` or else from the configuration; null if there are none. */
export function readLabels(files: FilePort, directory: string, config: ModelConfig): readonly string[] | null {
  const file = findLabels(files, directory)
  if (file !== null) return readLabelLines(files, file)
  if (config.id2label === null) return null
  const named = Object.entries(config.id2label).sort(([a], [b]) => Number(a) - Number(b))
  return named.map(([, label]) => label)
}
