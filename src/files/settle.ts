import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { JOURNAL } from '../base/temporary-folder.js'
import { finishCommit } from './commit-journal.js'

/** Folders above a file that may be an output directory: `out/onnx/model.onnx` is one of `out`. */
const LEVELS = 3
/** Time for which the check of a folder is valid, in milliseconds; readers open many files of one folder. */
const FRESH_MS = 200

const looked = new Map<string, number>()

/** Finishes what a killed command has begun in a folder, before its files are read. @throws AlbertkitError `output` */
export function settle(path: string): void {
  const now = performance.now()
  let folder = path
  for (let level = 0; level <= LEVELS; level++) {
    if (now - (looked.get(folder) ?? -FRESH_MS) >= FRESH_MS) {
      if (existsSync(join(folder, JOURNAL))) finishCommit(folder)
      if (looked.size > 1000) looked.clear()
      looked.set(folder, now)
    }
    folder = join(folder, '..')
  }
}
