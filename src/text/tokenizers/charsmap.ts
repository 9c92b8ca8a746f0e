import { malformed } from '../../base/errors.js'

/** Bytes of a text in base 64. @throws AlbertkitError `malformed` if it is something else */
export function bytesOfBase64(text: string, file: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  } catch (cause) {
    throw malformed('the normalisation table is not in base 64', {
      code: 'tokenizer-invalid',
      file,
      field: 'normalizer.precompiled_charsmap',
      cause,
    })
  }
}

/** Text in base 64 of bytes. */
export const base64Of = (bytes: Uint8Array): string => {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/**
 * Bytes of an entry of the table, and of what stands for it: that of NFKC has up to 33. The attack: a megabyte for each
 * character of a text.
 */
const MAX_ENTRY_BYTES = 1024

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  let bytes = 0
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
  }
  return bytes
}

/** An entry of the table: the number of characters that it stands for, and what replaces them. */
export interface CharsmapEntry {
  readonly count: number
  readonly text: string
}

/** What the table has for a character by itself, and the first bytes of characters that longer entries go on with. */
interface Single {
  readonly entry: CharsmapEntry | null
  readonly goesOn: 'no' | 'beyond ASCII' | 'with any'
}

/** Distance from a node to its children, as darts-clone packs it. */
const offset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)

/** Characters that are remembered. */
const MAX_SINGLES = 1 << 16

/**
 * SentencePiece's normalisation table: a double array trie (darts-clone) over UTF-8 whose values are places in a list
 * of zero-terminated replacements (google/sentencepiece normalizer.cc, `DecodePrecompiledCharsMap`).
 */
export class Charsmap {
  readonly #units: Uint32Array
  readonly #replacements: Uint8Array
  readonly #known = new Map<number, string>()
  readonly #singles = new Map<string, Single>()

  /** @throws AlbertkitError `malformed` if the sizes do not fit */
  constructor(blob: Uint8Array, file: string) {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
    const size = blob.length >= 4 ? view.getUint32(0, true) : 0
    if (blob.length > 0 && (size % 4 !== 0 || 4 + size > blob.length))
      throw malformed('the normalisation table of the SentencePiece model is damaged', {
        code: 'tokenizer-invalid',
        file,
      })
    this.#units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true))
    this.#replacements = blob.subarray(4 + size)
    for (let start = 0; start < this.#replacements.length;) {
      const zero = this.#replacements.indexOf(0, start)
      const end = zero === -1 ? this.#replacements.length : zero
      if (end - start > MAX_ENTRY_BYTES)
        throw malformed('the normalisation table of the SentencePiece model has an entry that is too long', {
          code: 'limit-exceeded',
          file,
        })
      start = end + 1
    }
  }

  #replacement(at: number): string {
    const known = this.#known.get(at)
    if (known !== undefined) return known
    const end = this.#replacements.indexOf(0, at)
    const text = decoder.decode(this.#replacements.subarray(at, end === -1 ? undefined : end))
    this.#known.set(at, text)
    return text
  }

  /** Text of the shortest entry that a text begins with, or null: what `spm_precompiled` takes for all of them. */
  shortest(text: string): string | null {
    let node = this.#root
    for (const byte of encoder.encode(text)) {
      if ((node = this.#next(node, byte)) === -1) return null
      const value = this.#valueOf(node)
      if (value !== -1) return this.#replacement(value)
    }
    return null
  }

  /** Longest entry that the characters from `at` on begin with. */
  longestAt(chars: readonly string[], at: number): CharsmapEntry | null {
    const char = chars[at]!
    let single = this.#singles.get(char)
    if (single === undefined) {
      single = this.#lookAt(char)
      if (this.#singles.size < MAX_SINGLES) this.#singles.set(char, single)
    }
    const next = chars[at + 1]
    if (next === undefined || single.goesOn === 'no' || (single.goesOn === 'beyond ASCII' && next < '\u0080'))
      return single.entry
    return this.#longest(chars, at)
  }

  #lookAt(char: string): Single {
    const entry = this.#longest([char], 0)
    const node = encoder.encode(char).reduce((at, byte) => (at === -1 ? -1 : this.#next(at, byte)), this.#root)
    if (node === -1) return { entry, goesOn: 'no' }
    const goes = (first: number, end: number): boolean => {
      for (let byte = first; byte < end; byte++) if (this.#next(node, byte) !== -1) return true
      return false
    }
    return { entry, goesOn: goes(0, 0x80) ? 'with any' : goes(0x80, 0x100) ? 'beyond ASCII' : 'no' }
  }

  #longest(chars: readonly string[], at: number): CharsmapEntry | null {
    let [node, bytes, best, count] = [this.#root, 0, -1, 0]
    for (let i = at; i < chars.length; i++)
      for (const byte of encoder.encode(chars[i])) {
        node = ++bytes > MAX_ENTRY_BYTES ? -1 : this.#next(node, byte)
        if (node === -1) return best === -1 ? null : { count, text: this.#replacement(best) }
        const value = this.#valueOf(node)
        if (value !== -1) [best, count] = [value, i + 1 - at]
      }
    return best === -1 ? null : { count, text: this.#replacement(best) }
  }

  /** Unit of the first node; -1 if the table is empty. */
  get #root(): number {
    return this.#units.length === 0 ? -1 : 0
  }

  /** Unit behind that of a node by a byte, or -1. */
  #next(node: number, byte: number): number {
    if (node === -1) return -1
    const at = (node ^ offset(this.#units[node]!) ^ byte) >>> 0
    const unit = this.#units[at]
    return unit === undefined || (unit & 0x800000ff) >>> 0 !== byte ? -1 : at
  }

  /** Place of the replacement of the entry that ends at a node, or -1. */
  #valueOf(node: number): number {
    const unit = this.#units[node]!
    if (((unit >>> 8) & 1) === 0) return -1
    return (this.#units[(node ^ offset(unit)) >>> 0] ?? 0) & 0x7fffffff
  }
}
