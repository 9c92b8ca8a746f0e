import { malformed, unsupported } from '../../base/errors.js'

/** A checkpoint folder has tens of files. */
const MAX_ENTRIES = 10_000
/** Weights hardly compress; what grows more than this is made to fill a memory. */
const MAX_GROWTH = 200
const ALWAYS_ALLOWED = 256 * 1024 * 1024

/** Refuses archives with paths that lead out of them, with too many entries, and such as grow beyond all measure. */
export class ArchiveLimits {
  #entries = 0
  #bytes = 0

  constructor(
    readonly archive: string,
    readonly archiveBytes: number,
  ) {}

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
    return parts.join('/')
  }

  /** Counts bytes that come out. @throws AlbertkitError `unsupported` if they are too many */
  count(bytes: number): void {
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
