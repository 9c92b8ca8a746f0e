import { exists, type FilePort } from '../formats/core/file-port.js'
import { readText } from '../formats/core/file.js'
import { join } from '../formats/core/paths.js'
import type { ModelConfig } from '../model/config.js'

/** Path of `labels.txt` beside the model, or null. */
export function findLabels(files: FilePort, directory: string): string | null {
  const file = join(directory, 'labels.txt')
  return exists(files, file) ? file : null
}

/** Reads the labels in a `labels.txt`, one per line. @throws AlbertkitError if it cannot be read */
export function readLabelLines(files: FilePort, file: string): readonly string[] {
  const lines = readText(files, file)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop()
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
