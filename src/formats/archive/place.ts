import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { malformed, unsupported } from '../../base/errors.js'

/** A checkpoint folder has tens of files. */
const MAX_ENTRIES = 10_000
/** Weights hardly compress; what grows more than this is made to fill a disk. */
const MAX_GROWTH = 200
const ALWAYS_ALLOWED = 256 * 1024 * 1024

/** Decides where the entries of an archive go, and refuses those that would leave the folder or fill the disk. */
export class Unpacking {
  #entries = 0
  #bytes = 0

  constructor(
    readonly archive: string,
    readonly archiveBytes: number,
    readonly folder: string,
  ) {}

  /** @throws AlbertkitError `malformed` where the path leads out of the folder */
  place(name: string): string {
    if (++this.#entries > MAX_ENTRIES)
      throw unsupported(`the archive has more than ${MAX_ENTRIES} entries`, { file: this.archive })
    const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.')
    if (/^([/\\]|[A-Za-z]:)/.test(name) || parts.includes('..') || name.includes('\0'))
      throw malformed(`the archive holds a path that leaves it: ${name}`, {
        file: this.archive,
        hint: 'nothing of it was unpacked beside it; such an archive is not to be trusted',
      })
    const path = join(this.folder, ...parts)
    mkdirSync(dirname(path), { recursive: true })
    return path
  }

  /** @throws AlbertkitError `unsupported` where the archive grows beyond all measure */
  count(bytes: number): void {
    this.expect(bytes)
    this.#bytes += bytes
  }

  /** The same of bytes that the archive says are to come: refused before a disk is filled with them. */
  expect(bytes: number): void {
    const all = this.#bytes + bytes
    if (all > ALWAYS_ALLOWED && all > MAX_GROWTH * this.archiveBytes)
      throw unsupported(`the archive unpacks to more than ${MAX_GROWTH} times its size`, {
        file: this.archive,
        hint: 'unpack it by hand, if you trust it',
      })
  }
}
