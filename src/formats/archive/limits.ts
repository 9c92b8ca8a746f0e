import { malformed, unsupported } from '../../base/errors.js'
import type { FilePort } from '../core/file-port.js'

/** Entries of an archive: a folder of checkpoints has tens of files. */
const MAX_ENTRIES = 10_000
/** Folders in one another, each of which is kept with its path: checkpoints lie some five deep. */
const MAX_FOLDERS = 32
/** Growth: weights hardly compress; what grows more than this, and to more than that, is made to fill a memory. */
const MAX_GROWTH = 200
const ALWAYS_ALLOWED = 256 * 1024 * 1024
/** Archives in one another: a `.keras` file in a `.zip`. The attack: 300 of them. */
const MAX_DEPTH = 2

/** Limits of the archive that a port leads into. */
const limits = new WeakMap<FilePort, ArchiveLimits>()

/** The limits of an archive at a path of `files`, which may be in another archive. */
export const limitsOf = (files: FilePort, archive: string, bytes: number): ArchiveLimits =>
  new ArchiveLimits(archive, bytes, limits.get(files) ?? null)

/** Registers that the files of `within` are in the archive of these limits. */
export const limitWithin = (within: FilePort, own: ArchiveLimits): void => {
  limits.set(within, own)
}

/** Refuses archives with paths that lead out of them, with too many entries, and such as grow beyond all measure. */
export class ArchiveLimits {
  readonly depth: number
  #entries = 0
  #bytes = 0

  /**
   * @param outer limits of the archive that contains this one, which count its unpacked bytes too
   * @throws AlbertkitError `unsupported` if archives are nested too deeply
   */
  constructor(
    readonly archive: string,
    readonly archiveBytes: number,
    readonly outer: ArchiveLimits | null = null,
  ) {
    this.depth = (outer?.depth ?? 0) + 1
    if (this.depth > MAX_DEPTH)
      throw unsupported(`more than ${MAX_DEPTH} archives lie in one another`, {
        code: 'limit-exceeded',
        file: archive,
        hint: 'unpack the outer ones by hand, if you trust them',
      })
  }

  /**
   * The path of an entry within the archive.
   * @throws AlbertkitError `malformed` if it leads out of it
   */
  path(name: string): string {
    if (++this.#entries > MAX_ENTRIES)
      throw unsupported(`the archive has more than ${MAX_ENTRIES} entries`, {
        code: 'limit-exceeded',
        file: this.archive,
      })
    const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.')
    if (/^([/\\]|[A-Za-z]:)/.test(name) || parts.includes('..') || name.includes('\0'))
      throw malformed(`the archive holds a path that leaves it: ${name}`, {
        code: 'path-escapes',
        file: this.archive,
        hint: 'nothing of it was read; such an archive is not to be trusted',
      })
    if (parts.length > MAX_FOLDERS)
      throw unsupported(`the archive has more than ${MAX_FOLDERS} folders in one another`, {
        code: 'limit-exceeded',
        file: this.archive,
      })
    return parts.join('/')
  }

  /** Counts bytes that come out. @throws AlbertkitError `unsupported` if they are too many */
  count(bytes: number): void {
    this.outer?.count(bytes)
    this.#bytes += bytes
    if (this.#bytes > ALWAYS_ALLOWED && this.#bytes > MAX_GROWTH * this.archiveBytes)
      throw unsupported(`the archive unpacks to more than ${MAX_GROWTH} times its size`, {
        code: 'limit-exceeded',
        file: this.archive,
        hint: 'unpack it by hand, if you trust it',
      })
  }

  /** @throws AlbertkitError `unsupported`: a link may lead anywhere */
  refuseLink(name: string): never {
    throw unsupported(`the archive holds a link: ${name}`, { code: 'path-escapes', file: this.archive })
  }
}
