import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST_FILE } from '../base/artefact-layout.js'
import { readPlainText } from '../files/plain-text.js'
import { parseManifest, type Manifest } from '../export/manifest.js'

/**
 * Reads the manifest of an existing output directory; null if it is absent or invalid. Not through the file port: what
 * that opens is a source, which no output may replace.
 */
export function readManifest(directory: string): Manifest | null {
  const file = join(directory, MANIFEST_FILE)
  try {
    return existsSync(file) ? parseManifest(readPlainText(file)) : null
  } catch {
    return null
  }
}
