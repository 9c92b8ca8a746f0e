import { join as joinDisk } from 'node:path'
import type { FilePort } from '../../formats/core/file-port.js'
import { treeFiles } from '../../formats/core/tree-port.js'
import type { BlobPlace } from '../blob.js'
import { COMMIT, isOffline } from '../cache.js'
import type { ListedFile } from '../listing.js'
import type { ModelOrigin } from '../origin.js'
import type { Fetcher } from './fetcher.js'
import type { RemoteFile } from './remote-file.js'

/** Files of a server as a port, and what is to be called when they are no longer read. */
export interface RemotePlace {
  readonly files: FilePort
  readonly path: string
  readonly origin: ModelOrigin
  /**
   * Fetches files whole, so that programs that read the disk can have them.
   * @param paths as `files` knows them, all in one folder or below it
   * @param keep `lasting` if they must stay when the place is closed
   * @returns the path on this disk of what is at `path`
   * @throws AlbertkitError `environment` if no cache keeps what must last
   */
  readonly fetch: (paths: readonly string[], path: string, keep?: 'lasting') => string
  readonly close: () => void
}

/** Folders of a cache: complete files by their ETags, and links with the names that a model's files have. */
export interface CacheHome {
  readonly blobs: string
  readonly links: string
  /** True of the cache of other tools, whose blobs are named by hashes. */
  readonly isShared: boolean
}

/** Where a file lies in a cache; null if nothing names its contents. */
export const blobPlace = ({ name, blob }: ListedFile, home: CacheHome): BlobPlace | null =>
  blob === null
    ? null
    : {
        blob: joinDisk(home.blobs, blob),
        link: joinDisk(home.links, ...name.split('/')),
        isShared: home.isShared,
        oid: home.isShared && (COMMIT.test(blob) || /^[0-9a-f]{64}$/.test(blob)) ? blob : null,
      }

/** Files of a server by their names, each of which is one object for all who read it. */
export class RemoteFiles {
  readonly #files = new Map<string, RemoteFile>()
  #port: FilePort | null = null

  /** @param root what the port calls the folder */
  constructor(
    readonly root: string,
    readonly fetcher: Fetcher,
  ) {}

  add(name: string, file: RemoteFile): void {
    this.#files.set(name, file)
    this.#port = null
  }

  get(name: string): RemoteFile | undefined {
    return this.#files.get(name)
  }

  /** The files; offline those of which something is here. */
  get port(): FilePort {
    const isSeen = isOffline() ? (file: RemoteFile) => file.isHere : () => true
    const seen = (): [string, RemoteFile][] => [...this.#files].filter(([, file]) => isSeen(file))
    this.#port ??= treeFiles(seen().map(([name, file]) => [`${this.root}/${name}`, file]))
    return this.#port
  }

  leave(): void {
    for (const file of this.#files.values()) file.leave()
    this.fetcher.close()
  }
}
