import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'

/**
 * Limits that all readers share. A reader's own limits are at its top. Together they keep reading within 1 s and
 * 0.2 µs a byte of header, and within 64 MiB, twice the largest tensor and eight times the header (docs/security.md).
 */

/**
 * Tensors of a model. The attack: a million names in a table that stores a few bytes of each; every one is an object of
 * some hundred bytes in memory and is compared with every family. The largest honest file: BERT-large with the slots of
 * its optimizer has some 1,300, an ensemble of ten of them 13,000.
 */
export const MAX_TENSORS = 100_000
/** A header that has as many bytes for each tensor may list more: what is kept of a tensor is eight times as large. */
const BYTES_A_TENSOR = 48
/** Tensors of any header: they take some 100 MiB and two seconds. A million are refused in as many. */
const MOST_TENSORS = 250_000
/**
 * Bytes of the name of a tensor. The attacks: a prefix of a megabyte that thousands of names share, and names
 * that repeat what a pattern looks for. The longest honest ones, paths of objects in a checkpoint of Keras, have 300.
 */
export const MAX_NAME_BYTES = 1024
/**
 * Bytes of all names together, beyond those that stand in the header in full. The attack: names that share what comes
 * first, which a table stores once. Honest ones have up to a hundred bytes.
 */
export const MAX_NAMES_BYTES = 4 * 1024 * 1024
/** Axes of a tensor: TensorFlow's limit is 254, PyTorch's 64; weights have up to four. */
export const MAX_RANK = 254
/**
 * Files of one model. The attack: 100,000 shards, each looked for and opened. The largest honest models come in some
 * 200 files, checkpoints of parameter servers in up to 1,000.
 */
export const MAX_SHARDS = 4096

/** Makes the error of a limit that is exceeded. */
export type LimitError = (what: string, code: ErrorCode) => AlbertkitError

/** The error of a limit of a file. */
export const limitError =
  (file: string): LimitError =>
  (what, code) =>
    malformed(what, { code, file, hint: 'no model is like that: the file is damaged or was made to do harm' })

/** Counts the tensors of a file, and what their names take, before anything is kept for them. */
export class NameBudget {
  #names = 0
  #bytes = 0
  #mostNames = MAX_TENSORS
  #mostBytes = MAX_NAMES_BYTES

  constructor(readonly fail: LimitError) {}

  /** Allows for the tensors of a header of `bytes` bytes, which holds their names in full. */
  allowFor(bytes: number): void {
    this.#mostBytes += bytes
    this.#mostNames = Math.max(MAX_TENSORS, Math.min(MOST_TENSORS, Math.floor(this.#mostBytes / BYTES_A_TENSOR)))
  }

  /**
   * Counts a tensor with a name of `length` bytes or characters.
   * @throws AlbertkitError `limit-exceeded`
   */
  add(length: number): void {
    if (++this.#names > this.#mostNames)
      throw this.fail(`the file lists more than ${this.#mostNames} tensors`, 'limit-exceeded')
    if (length > MAX_NAME_BYTES)
      throw this.fail(`a tensor has a name of ${length} bytes, and ${MAX_NAME_BYTES} is the limit`, 'limit-exceeded')
    this.#bytes += length
    if (this.#bytes > this.#mostBytes)
      throw this.fail(`the names of all tensors take more than ${this.#mostBytes} bytes`, 'limit-exceeded')
  }
}
