import { basename } from '../../formats/core/paths.js'
import { reportTransfer } from '../../base/transfer.js'

/** Time between two reports, in ms. */
const APART = 200
/** Files that arrive sooner are not worth a report, in ms. */
const QUICK = 500

/** Reports how a file travels, over all of its ranges. */
export class TransferMeter {
  #fetched = 0
  #begun: number | null = null
  #told = 0

  constructor(
    readonly file: string,
    readonly size: number | null,
  ) {}

  /** Begins a range. @param present bytes that were there before @returns to be called with the bytes that arrived */
  range(present: number): (bytes: number) => void {
    const before = this.#fetched
    this.#begun ??= performance.now()
    const begun = this.#begun
    return (bytes) => {
      this.#fetched = before + bytes
      const now = performance.now()
      if (now - begun < QUICK || now - this.#told < APART) return
      this.#told = now
      const file = decodeURIComponent(basename(this.file))
      const here = this.size === null ? present + bytes : Math.min(present + bytes, this.size)
      reportTransfer({ file, present: here, size: this.size, fetched: this.#fetched, seconds: (now - begun) / 1000 })
    }
  }
}
