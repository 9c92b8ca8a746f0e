import { lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import { outputError } from '../../base/errors.js'
import { temporaryIn } from '../../base/temporary-folder.js'
import { hashFile } from '../../files/hash-file.js'
import { makeFolders, tidy, writing } from '../../files/output-file.js'
import { writes } from '../../files/write-port.js'
import { mergeDirectory } from './merge.js'
import type { Merged } from './report.js'

/** Path of the file of unusable lines. */
export const errorsOf = (output: string): string => `${output}.errors.jsonl`

/** SHA-256 of a regular file; null if there is none. */
export const hashOf = (path: string): string | null =>
  lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? hashFile(path).sha256 : null

/** Gives a complete file its name, unless another file has it. */
function appear(from: string, to: string, replaces: readonly string[]): void {
  const mine = hashOf(from)
  if (mine === null) return
  const there = lstatSync(to, { throwIfNoEntry: false })
  const old = hashOf(to)
  writing(to, () => {
    // The same job ran before, and was killed before it could say so.
    if (old === mine) writes.remove(from)
    else if (old !== null && replaces.includes(old)) writes.rename(from, to)
    else if (there === undefined) {
      // A second name must be new, which a rename does not ask for.
      writes.link(from, to)
      writes.remove(from)
    } else
      throw outputError('the output exists already', {
        code: 'output-exists',
        file: to,
        hint: 'jobs of a queue replace only what was there when they were submitted with `force`',
      })
    writes.syncPath(dirname(to))
  })
}

/**
 * Merges the shards of a job. Running it again is harmless: the same bytes may be there already.
 * @param replaces SHA-256 of files that may be replaced
 * @throws AlbertkitError `output` if another file is there; as `mergeDirectory`
 */
export async function mergeJob(directory: string, output: string, replaces: readonly string[]): Promise<Merged> {
  makeFolders(dirname(output))
  const [answers, errors] = [temporaryIn(dirname(output)), temporaryIn(dirname(output))]
  try {
    const merged = await mergeDirectory(directory, { output: answers, errors })
    appear(errors, errorsOf(output), replaces)
    appear(answers, output, replaces)
    return merged
  } finally {
    tidy(answers, errors)
  }
}
