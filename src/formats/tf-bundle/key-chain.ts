import { compareBytes } from '../../base/bytes.js'
import type { ErrorCode } from '../../base/error-codes.js'
import type { AlbertkitError } from '../../base/errors.js'

/**
 * Bytes of one key: the name of a tensor, or of one of its slices with a number or two for each axis. The attack: a key
 * of 400 kB that is shared by 16,000 entries of ten bytes.
 */
const MAX_KEY_BYTES = 16 * 1024
/**
 * Bytes of all keys, written out: so many for any table, and so many times what is stored of them. Keys of a checkpoint
 * of objects share nine tenths with the one before, and such a checkpoint has some thousand.
 */
const KEYS_ALLOWED = 16 * 1024 * 1024
const MAX_KEYS_GROWTH = 8

/** Keys of a table in their order, each stored as what it shares with the one before and the rest. */
export class KeyChain {
  #bytes = new Uint8Array(256)
  #length = 0
  /** False before the first key, which may be empty. */
  #begun = false
  #written = 0
  #stored = 0

  constructor(readonly fail: (what: string, code?: ErrorCode) => AlbertkitError) {}

  /** The last key; valid until the next one. */
  get key(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** A block begins: its first key is stored whole. */
  restart(): void {
    this.#shareable = 0
  }

  /** Bytes of the last key that the next one may share: none at the start of a block. */
  #shareable = 0

  /**
   * Goes on to the next key.
   * @throws AlbertkitError if it does not come after the last one, or is too long
   */
  next(shared: number, rest: Uint8Array): void {
    if (shared > this.#shareable) throw this.fail('a key shares more than there is')
    const length = shared + rest.length
    if (length > MAX_KEY_BYTES)
      throw this.fail(`a key of ${length} bytes, and ${MAX_KEY_BYTES} is the limit`, 'limit-exceeded')
    this.#written += length
    this.#stored += rest.length
    if (this.#written > KEYS_ALLOWED + MAX_KEYS_GROWTH * this.#stored)
      throw this.fail(`its keys share so much that they take more than ${KEYS_ALLOWED} bytes`, 'limit-exceeded')
    if (this.#begun) {
      const order = compareBytes(rest, this.#bytes.subarray(shared, this.#length))
      if (order === 0) throw this.fail('a key stands in it twice: keys must ascend', 'tensor-duplicate')
      if (order < 0) throw this.fail('its keys are not in order: they must ascend')
    }
    if (length > this.#bytes.length) {
      const wider = new Uint8Array(Math.min(MAX_KEY_BYTES, 2 * length))
      wider.set(this.#bytes.subarray(0, shared))
      this.#bytes = wider
    }
    this.#bytes.set(rest, shared)
    this.#length = length
    this.#shareable = length
    this.#begun = true
  }

  /**
   * Compares the last key with the one under which the index lists the block that it ends.
   * @throws AlbertkitError if a search by the index would not find it
   */
  endBlock(listed: Uint8Array): void {
    if (this.#begun && compareBytes(this.key, listed) > 0)
      throw this.fail('its index is not in order: it lists a block under a key before the last one of the block')
  }

  /** Starts a block after one that is listed under `listed`. */
  beginBehind(listed: Uint8Array): void {
    // The next key must come after the listed one, which is not before the last key.
    this.#bytes = Uint8Array.from(listed)
    this.#length = listed.length
    this.#begun = true
    this.#shareable = 0
  }
}
