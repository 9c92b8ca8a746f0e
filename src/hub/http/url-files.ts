import { createHash } from 'node:crypto'
import type { FilePort } from '../../formats/core/file-port.js'
import { join } from '../../formats/core/paths.js'
import { isOffline } from '../cache.js'
import { isInside, MAX_FILES, type ListedFile } from '../listing.js'
import { isStrong } from './headers.js'
import type { Looked } from './look.js'
import { RemoteFile } from './remote-file.js'
import { blobPlace, type CacheHome, type RemoteFiles } from './remote-place.js'
import { TransferMeter } from './transfer-meter.js'

/** Names that readers ask for at most, of those that nobody listed. */
const MAX_ASKED = 500

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 20)

/** Name of the blob of a file: its own, and what its ETag says of its contents. */
const blobOf = (name: string, tag: string): string => `${digest(name)}-${digest(tag)}`

/** Files below an address. What readers ask for by its name is looked for when they do. */
export class UrlFiles {
  readonly #listed = new Map<string, ListedFile>()
  readonly #absent = new Set<string>()

  /** @param home folders of the cache @param urlOf address of a file by its name */
  constructor(
    readonly remote: RemoteFiles,
    readonly home: CacheHome,
    readonly urlOf: (name: string) => string,
  ) {}

  /** Every file that was found. */
  get listed(): readonly ListedFile[] {
    return [...this.#listed.values()]
  }

  /** True of a name that was asked for already. */
  isKnown(name: string): boolean {
    return this.#listed.has(name) || this.#absent.has(name)
  }

  /** Adds what the server says of a file; null if it is not there. */
  found(name: string, looked: Looked | null): void {
    if (looked === null || this.#listed.size >= MAX_FILES) this.#absent.add(name)
    else if (looked.size === null) this.#addUnsized(name)
    else {
      const { size, tag } = looked
      const blob = isStrong(tag) ? blobOf(name, tag) : null
      this.add({ name, url: this.urlOf(name), size, tag, blob })
    }
  }

  add(listed: ListedFile): void {
    const { name, url, size, tag } = listed
    this.#listed.set(name, listed)
    const facts = { url, token: undefined, size, tag, place: blobPlace(listed, this.home) }
    this.remote.add(name, new RemoteFile(facts, this.remote.fetcher))
  }

  /** A file whose length only its end tells: it is fetched first. */
  #addUnsized(name: string): void {
    const { fetcher } = this.remote
    const [url, file] = [this.urlOf(name), fetcher.newFile()]
    const size = fetcher.fillWhole(url, { file, journal: null }, new TransferMeter(url, null).range(0))
    this.remote.add(name, RemoteFile.fetched({ url, token: undefined, size, tag: null, place: null }, fetcher, file))
  }

  /** The files, and those that are asked for. */
  get port(): FilePort {
    const { remote } = this
    const prefix = `${remote.root}/`
    const look = (path: string): void => {
      const own = join(path)
      const name = own.startsWith(prefix) ? own.slice(prefix.length) : ''
      if (!isInside(name) || isOffline() || this.isKnown(name) || this.#absent.size >= MAX_ASKED) return
      this.found(name, remote.fetcher.lookFor(this.urlOf(name)))
    }
    return {
      stat(path) {
        const stat = remote.port.stat(path)
        if (stat !== null) return stat
        look(path)
        return remote.port.stat(path)
      },
      list: (path) => remote.port.list(path),
      open(path) {
        if (remote.port.stat(path) === null) look(path)
        return remote.port.open(path)
      },
    }
  }
}
