import { outputError, type AlbertkitError } from '../../base/errors.js'
import { system } from '../../files/write-port.js'
import { journalLine } from '../byte-ranges.js'

/** Bytes that arrive before the journal says that they did. */
const JOURNAL_STEP = 1 << 20

/** A file on disk that takes what arrives. */
export interface SinkFile {
  readonly file: string
  /** The file's journal and its name there; null of a temporary file. */
  readonly journal: { readonly path: string; readonly inode: string } | null
}

const failed = (file: string, cause: unknown): AlbertkitError =>
  outputError(`what is fetched cannot be written: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`, {
    code: 'output-failed',
    file,
    hint: 'free some space; HF_HUB_CACHE, ALBERTKIT_CACHE and TMPDIR name folders that have some',
    cause,
  })

/** Writes what arrives at its offset, and into the journal that it did. */
export class Sink {
  readonly #descriptor: number
  readonly #journal: number | null
  #from = 0
  #to = 0

  /** @throws AlbertkitError `output` if the file cannot be written */
  constructor(readonly target: SinkFile) {
    try {
      this.#descriptor = system.open(target.file, 'r+')
      this.#journal = target.journal === null ? null : system.open(target.journal.path, 'a')
    } catch (cause) {
      throw failed(target.file, cause)
    }
  }

  /** @throws AlbertkitError `output` if the disk is full */
  write(bytes: Uint8Array, at: number): void {
    try {
      for (let done = 0; done < bytes.length;) done += system.write(this.#descriptor, bytes.subarray(done), at + done)
      if (at !== this.#to) this.#note()
      if (at !== this.#to) this.#from = at
      this.#to = at + bytes.length
      if (this.#to - this.#from >= JOURNAL_STEP) this.#note()
    } catch (cause) {
      throw failed(this.target.file, cause)
    }
  }

  /** Says in the journal what was written since the last time. */
  #note(): void {
    if (this.#journal !== null && this.#to > this.#from)
      system.write(
        this.#journal,
        Buffer.from(journalLine(this.target.journal!.inode, { from: this.#from, to: this.#to })),
        null,
      )
    this.#from = this.#to
  }

  close(): void {
    try {
      this.#note()
    } finally {
      system.close(this.#descriptor)
      if (this.#journal !== null) system.close(this.#journal)
    }
  }
}
