import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { usage } from '../../base/errors.js'

/** Whether two paths mean one file. */
function same(a: string, b: string): boolean {
  if (resolve(a) === resolve(b)) return true
  const [x, y] = [statSync(a, { throwIfNoEntry: false }), statSync(b, { throwIfNoEntry: false })]
  return x?.isFile() === true && y?.isFile() === true && x.dev === y.dev && x.ino === y.ino
}

/**
 * Looks before anything is written whether two of the files of a command are one.
 * @param files by what they are; those that are not given, and `-`, are none
 * @throws AlbertkitError `usage`
 */
export function refuseSame(files: Readonly<Record<string, string | undefined>>): void {
  const named = Object.entries(files).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '-',
  )
  named.forEach(([what, file], i) => {
    const other = named.slice(0, i).find(([, before]) => same(before, file))
    if (other !== undefined) throw usage(`${what} is ${other[0]}: name another file`, { file })
  })
}
