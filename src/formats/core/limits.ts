import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'

/**
 * Limits that all readers share. A reader's own limits are at its top. Together they keep reading within 1 s and
 * 0.2 µs a byte of header, and within 64 MiB, twice the largest tensor and eight times the header (docs/security.md).
 */

/**
 * Tensors of a model. The attack: a million names, each an object in memory and compared with every family. The largest
 * honest file: BERT-large with the slots of its optimizer has some 1,300, an ensemble of ten of them 13,000.
 */
export const MAX_TENSORS = 20_000
/**
 * Bytes of the name of a tensor. The attacks: a prefix of a megabyte that thousands of names share, and names
 * that repeat what a pattern looks for. The longest honest ones, paths of objects in a checkpoint of Keras, have 300.
 */
export const MAX_NAME_BYTES = 1024
/** Bytes of all names together: four hundred for each of as many tensors as may be. */
export const MAX_NAMES_BYTES = 8 * 1024 * 1024
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

  constructor(readonly fail: LimitError) {}

  /**
   * Counts a tensor with a name of `length` bytes or characters.
   * @throws AlbertkitError `limit-exceeded`
   */
  add(length: number): void {
    if (++this.#names > MAX_TENSORS)
      throw this.fail(`the file lists more than ${MAX_TENSORS} tensors`, 'limit-exceeded')
    if (length > MAX_NAME_BYTES)
      throw this.fail(`a tensor has a name of ${length} bytes, and ${MAX_NAME_BYTES} is the limit`, 'limit-exceeded')
    this.#bytes += length
    if (this.#bytes > MAX_NAMES_BYTES)
      throw this.fail(`the names of all tensors take more than ${MAX_NAMES_BYTES} bytes`, 'limit-exceeded')
  }
}
