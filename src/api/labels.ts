import { exists, type FilePort } from '../formats/core/file-port.js'
import { readText } from '../formats/core/file.js'
import { join } from '../formats/core/paths.js'
import type { ModelConfig } from '../model/config.js'

/** Labels beside the weights. */

/** `labels.txt` beside the model, or null. */
export function findLabels(files: FilePort, directory: string): string | null {
  const file = join(directory, 'labels.txt')
  return exists(files, file) ? file : null
}

/** Labels of a `labels.txt`, one a line. @throws AlbertkitError where it cannot be read */
export function readLabelLines(files: FilePort, file: string): readonly string[] {
  const lines = readText(files, file)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop()
  return lines
}

/** Class names in order: those of `labels.txt`, else of the configuration, else null. */
export function readLabels(files: FilePort, directory: string, config: ModelConfig): readonly string[] | null {
  const file = findLabels(files, directory)
  if (file !== null) return readLabelLines(files, file)
  if (config.id2label === null) return null
  const named = Object.entries(config.id2label).sort(([a], [b]) => Number(a) - Number(b))
  return named.map(([, label]) => label)
}
