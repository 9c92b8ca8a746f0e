import { closeSync, openSync, readSync } from 'node:fs'
import { usage } from '../../base/errors.js'
import { addSource } from '../../base/sources.js'
import { isOffline } from '../cache.js'
import { ByteRanges } from '../byte-ranges.js'
import { findBlob, PartialBlob, type BlobPlace } from '../blob.js'
import type { OpenFile } from '../../formats/core/file-port.js'
import type { TreeFile } from '../../formats/core/tree-port.js'
import type { Fetcher } from './fetcher.js'
import type { SinkFile } from './sink.js'
import { TransferMeter } from './transfer-meter.js'

/** Smallest range that is asked for: a header and what lies around it. */
const BLOCK = 256 * 1024
/** Largest range: what is read in one go is asked for in ever larger ones. */
const LARGEST = 8 * 1024 * 1024

/** A file of a server: what is known of it before it is read. */
export interface RemoteFacts {
  readonly url: string
  readonly token: string | undefined
  readonly size: number
  /** Changes if the contents do; null if the server says nothing of the kind. */
  readonly tag: string | null
  /** Place in a cache; null of a file without a name that stands for its bytes: it is kept until the command ends. */
  readonly place: BlobPlace | null
}

/** Where the bytes of a file are, those that are here. */
type Here =
  | { readonly kind: 'whole'; readonly file: string }
  | { readonly kind: 'partial'; readonly file: string; readonly partial: PartialBlob }
  | { readonly kind: 'temporary'; readonly file: string; readonly ranges: ByteRanges }

/** Bytes of a file of a server; each travels once, and is read from the disk from then on. */
export class RemoteFile implements TreeFile {
  readonly size: number
  readonly #meter: TransferMeter
  #here: Here | null = null
  #next = { offset: -1, length: BLOCK }
  #isXet = false

  constructor(
    readonly facts: RemoteFacts,
    readonly fetcher: Fetcher,
  ) {
    this.size = facts.size
    this.#meter = new TransferMeter(facts.url, facts.size)
  }

  /** A file that was fetched already. @param file path of its bytes */
  static fetched(facts: RemoteFacts, fetcher: Fetcher, file: string): RemoteFile {
    const remote = new RemoteFile(facts, fetcher)
    remote.#here = { kind: 'whole', file }
    return remote
  }

  /** True if the file, or something of it, is on this machine. */
  get isHere(): boolean {
    const { place, size } = this.facts
    return place !== null && (findBlob(place, size) !== null || PartialBlob.isBegun(place))
  }

  /** Opens what is here, in the cache if it can be. */
  #find(): Here {
    const { place, size } = this.facts
    if (place !== null) {
      const file = findBlob(place, size)
      if (file !== null) {
        addSource(file)
        return { kind: 'whole', file }
      }
      const partial = PartialBlob.open(place, size, () => this.#isSequential())
      if (partial !== null) return this.#settled(partial)
    }
    return { kind: 'temporary', file: this.fetcher.newFile(), ranges: new ByteRanges() }
  }

  /** True unless the store's client writes files out of order, who may have begun this one. */
  #isSequential(): boolean {
    if (isOffline()) return false
    this.#isXet = this.fetcher.lookAt(this.facts.url, this.facts.token).hub.isXet
    return !this.#isXet
  }

  /** A partial file, or the complete one if nothing is missing. */
  #settled(partial: PartialBlob): Here {
    if (!partial.isWhole) return { kind: 'partial', file: partial.file, partial }
    const file = partial.finish(this.facts.url)
    addSource(file)
    return { kind: 'whole', file }
  }

  /** What is here now: other processes may have fetched, finished or removed the file. */
  #refreshed(here: Here): Here {
    if (here.kind !== 'partial') return here
    try {
      here.partial.refresh()
      return this.#settled(here.partial)
    } catch (error) {
      if ((error as Error).name === 'AlbertkitError') throw error
      return this.#find()
    }
  }

  /** Number of bytes from `offset` on that are here. */
  #present(here: Here, offset: number): number {
    if (here.kind === 'whole') return this.size - offset
    return (here.kind === 'partial' ? here.partial.ranges : here.ranges).present(offset)
  }

  /** Fetches from `offset` on, further ahead the longer the file is read in order. */
  #fetch(here: Exclude<Here, { kind: 'whole' }>, offset: number): void {
    const { url, token, tag } = this.facts
    if (isOffline())
      throw usage('this part of the file was not fetched yet, and nothing is fetched offline', {
        code: 'file-missing',
        file: url,
        hint: 'read the model once without `offline`',
      })
    const ranges = here.kind === 'partial' ? here.partial.ranges : here.ranges
    const length = offset === this.#next.offset ? Math.min(this.#next.length * 2, LARGEST) : BLOCK
    const to = Math.min(offset + length, ranges.next(offset), this.size)
    const target: SinkFile = {
      file: here.file,
      journal: here.kind === 'partial' ? { path: here.partial.journal, inode: here.partial.inode } : null,
    }
    const asked = { url, token, tag, size: this.size, target, from: offset, to }
    const filled = this.fetcher.fill(asked, this.#meter.range(ranges.bytes))
    this.#isXet ||= filled.isXet
    ranges.add(filled)
    this.#next = { offset: filled.to, length }
  }

  /** Makes at least one byte from `offset` on present. @returns what has it */
  #provide(offset: number): Here {
    let here = this.#here ?? this.#find()
    if (this.#present(here, offset) === 0) here = this.#refreshed(here)
    if (this.#present(here, offset) === 0 && here.kind !== 'whole') {
      this.#fetch(here, offset)
      if (here.kind === 'partial') here = this.#settled(here.partial)
    }
    this.#here = here
    return here
  }

  /** Fetches the whole file. @returns its path on this disk */
  fetchAll(): string {
    let here = this.#provide(0)
    for (let at = 0; at < this.size; at += this.#present(here, at)) here = this.#provide(at)
    return here.file
  }

  open(): OpenFile {
    const { size, facts } = this
    let opened: { readonly key: string; readonly descriptor: number } | null = null
    let isOpen = true
    const shut = (): void => {
      if (opened !== null) closeSync(opened.descriptor)
      opened = null
    }
    return {
      size,
      read: (offset, target) => {
        if (!isOpen) throw new RangeError(`${facts.url} is closed`)
        if (offset >= size || target.length === 0) return 0
        const here = this.#provide(offset)
        // A file that another process began anew has the same path.
        const key = here.kind === 'partial' ? `${here.file} ${here.partial.inode}` : here.file
        if (opened?.key !== key) {
          shut()
          opened = { key, descriptor: openSync(here.file, 'r') }
        }
        const bytes = Math.min(target.length, this.#present(here, offset))
        return readSync(opened.descriptor, target, 0, bytes, offset)
      },
      close: () => {
        shut()
        isOpen = false
      },
    }
  }

  /** Ends reading; what was fetched stays in the cache. */
  leave(): void {
    if (this.#here?.kind === 'partial') this.#here.partial.leave(!this.#isXet)
    this.#here = null
  }
}
