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

/**
 * SentencePiece's normalisation table: a double array trie (darts-clone) over UTF-8 whose values are places in a list
 * of zero-terminated replacements (google/sentencepiece normalizer.cc, `DecodePrecompiledCharsMap`).
 */
export class Charsmap {
  readonly #units: Uint32Array
  readonly #replacements: Uint8Array
  readonly #known = new Map<number, string>()

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

  /** Text of the shortest entry that `bytes` begin with, or null: what `spm_precompiled` takes for all of them. */
  shortest(bytes: Uint8Array): string | null {
    for (const { value } of this.#entries(bytes, 0)) return this.#replacement(value)
    return null
  }

  /** Longest entry that matches `bytes` at `start`: its length in bytes and its replacement. */
  longest(bytes: Uint8Array, start: number): { readonly length: number; readonly text: string } | null {
    let best: { length: number; value: number } | null = null
    for (const entry of this.#entries(bytes, start)) best = entry
    return best === null ? null : { length: best.length, text: this.#replacement(best.value) }
  }

  /** Entries that `bytes` begin with at `start`, shortest first. */
  *#entries(bytes: Uint8Array, start: number): Generator<{ readonly length: number; readonly value: number }> {
    const units = this.#units
    if (units.length === 0) return
    const offset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6)
    let node = offset(units[0]!)
    const end = Math.min(bytes.length, start + MAX_ENTRY_BYTES)
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!
      node = (node ^ byte) >>> 0
      const unit = units[node]
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return
      node = (node ^ offset(unit)) >>> 0
      if ((unit >>> 8) & 1) yield { length: i + 1 - start, value: (units[node] ?? 0) & 0x7fffffff }
    }
  }
}
