/**
 * The one way to files: models, configurations, vocabularies and texts are read through a `FilePort`, handed down from
 * where the model is opened. Synchronous, so that readers stay plain code; an implementation over something that only
 * answers later (HTTP ranges) waits in a worker.
 *
 * Paths are joined by `/`, absolute or relative to a place that the port knows (paths.ts).
 */
export interface FilePort {
  /** Kind and size of what is at `path`; null if nothing is there or it cannot be looked at. */
  stat(path: string): FileStat | null
  /**
   * Names of the files and folders in a directory, in any order. A port that cannot list gives the names that it knows.
   * @throws AlbertkitError `malformed` if there is no such directory, `environment` if it may not be read
   */
  list(path: string): readonly string[]
  /**
   * Opens a regular file for reading.
   * @throws AlbertkitError `malformed` if there is no such file, `environment` if it may not be read
   */
  open(path: string): OpenFile
  /** Resolves the links of a path; null if nothing is there. Absent from a port without links. */
  realPath?(path: string): string | null
}

export interface FileStat {
  /** What a link leads to; `broken link` if that is nothing. */
  readonly kind: 'file' | 'directory' | 'pipe' | 'socket' | 'device' | 'broken link'
  /** Bytes of a file; 0 of everything else. */
  readonly size: number
}

/** An open file of known size. */
export interface OpenFile {
  readonly size: number
  /**
   * Copies bytes from `offset` on into `target`, as many as fit or fewer.
   * @returns number of bytes copied; 0 at the end of the file only
   * @throws AlbertkitError `malformed` if the file changed since it was opened, `malformed` or `environment` if the
   *   bytes cannot be read
   */
  read(offset: number, target: Uint8Array): number
  /** Gives the file back; once is enough, twice does no harm. */
  close(): void
}

/**
 * True if something is at `path`, be it a link that leads nowhere: what a folder has is not absent because it cannot be
 * read.
 */
export const exists = (files: FilePort, path: string): boolean => files.stat(path) !== null

/** True if something is at `path` that is no link which leads nowhere. */
export function isReachable(files: FilePort, path: string): boolean {
  const stat = files.stat(path)
  return stat !== null && stat.kind !== 'broken link'
}

/** True if there is a directory at `path`. */
export const isDirectory = (files: FilePort, path: string): boolean => files.stat(path)?.kind === 'directory'
