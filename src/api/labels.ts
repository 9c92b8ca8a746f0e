import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readText } from '../formats/core/file.js'
import type { ModelConfig } from '../model/config.js'

/** Labels beside the weights. */

/** `labels.txt` beside the model, or null. */
export function findLabels(directory: string): string | null {
  const file = join(directory, 'labels.txt')
  return existsSync(file) ? file : null
}

/** Labels of a `labels.txt`, one a line. @throws AlbertkitError where it cannot be read */
export function readLabelLines(file: string): readonly string[] {
  const lines = readText(file)
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
  while (lines.length > 0 && lines[lines.length - 1] === '') lines.pop()
  return lines
}

/** Class names in order: those of `labels.txt`, else of the configuration, else null. */
export function readLabels(directory: string, config: ModelConfig): readonly string[] | null {
  const file = findLabels(directory)
  if (file !== null) return readLabelLines(file)
  if (config.id2label === null) return null
  const named = Object.entries(config.id2label).sort(([a], [b]) => Number(a) - Number(b))
  return named.map(([, label]) => label)
}
