// Damage to bytes, from a seed: the mutant of a seed and a number is the same on every machine.

/** Generator of 32-bit numbers (mulberry32). */
export function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
}

/** Numbers that sizes, offsets and counts go wrong with. */
export const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]
/** Texts that JSON, vocabularies and lines go wrong with. */
export const TEXTS = [
  '-1',
  '1e308',
  '9007199254740993',
  'null',
  '[]',
  '{}',
  '""',
  '\\u0000',
  '\u2028',
  '\n\n',
  '\t',
  '"__proto__"',
]
const encoder = new TextEncoder()

export const splice = (bytes, at, remove, add) => {
  const out = new Uint8Array(bytes.length - remove + add.length)
  out.set(bytes.subarray(0, at))
  out.set(add, at)
  out.set(bytes.subarray(at + remove), at + add.length)
  return out
}

/** Place in a file: anywhere, or in its first or last bytes, which hold most of the structure. */
function place(length, next) {
  const kind = next() % 4
  if (kind === 0) return next() % length
  const near = Math.min(length, 1 << (4 + (next() % 10)))
  return kind === 1 ? length - 1 - (next() % near) : next() % near
}

/** Numbers in a text: changed to another extreme, the structure stays. */
function changeNumber(bytes, next) {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 1 << 16))
  const numbers = [...text.matchAll(/\d+/g)]
  if (numbers.length === 0) return bytes
  const found = numbers[next() % numbers.length]
  return splice(bytes, found.index, found[0].length, encoder.encode(String(EXTREMES[next() % EXTREMES.length])))
}

const MUTATORS = [
  (bytes, next) => {
    const copy = bytes.slice()
    copy[place(bytes.length, next)] ^= 1 << (next() % 8)
    return copy
  },
  (bytes, next) => {
    const copy = bytes.slice()
    copy[place(bytes.length, next)] = next() % 256
    return copy
  },
  (bytes, next) => {
    const copy = bytes.slice()
    const at = Math.min(place(bytes.length, next), Math.max(0, bytes.length - 8))
    const view = new DataView(copy.buffer)
    const value = EXTREMES[next() % EXTREMES.length]
    if (bytes.length >= 8 && next() % 2 === 0)
      view.setBigUint64(at, BigInt(value) * (next() % 2 === 0 ? 1n : 4294967297n), true)
    else if (bytes.length >= 4) view.setUint32(Math.min(at, bytes.length - 4), value, next() % 2 === 0)
    return copy
  },
  (bytes, next) => bytes.slice(0, place(bytes.length, next)),
  (bytes, next) => {
    const at = place(bytes.length, next)
    return splice(bytes, at, Math.min(1 + (next() % 64), bytes.length - at), new Uint8Array(0))
  },
  (bytes, next) => {
    const at = place(bytes.length, next)
    const from = next() % bytes.length
    return splice(bytes, at, 0, bytes.slice(from, from + 1 + (next() % 256)))
  },
  (bytes, next) => splice(bytes, place(bytes.length, next), 0, encoder.encode(TEXTS[next() % TEXTS.length])),
  changeNumber,
]

/** Bytes with one to four changes. */
export function mutate(bytes, next) {
  let out = bytes
  for (let n = 1 + (next() % 4); n > 0; n--) if (out.length > 0) out = MUTATORS[next() % MUTATORS.length](out, next)
  return out
}

/** One of a list. */
export const pick = (list, next) => list[next() % list.length]

/** An extreme number that fits `bits`, or one near `value`. */
export function oddNumber(value, bits, next) {
  const near = [value + 1, Math.max(0, value - 1), value * 2, Math.floor(value / 2), value ^ 1]
  const limit = 2 ** Math.min(bits, 53)
  return Math.abs(pick(next() % 2 === 0 ? near : EXTREMES, next)) % limit
}

/** Bytes of parts, one after the other. */
export const joined = (parts) => new Uint8Array(Buffer.concat(parts))

/** A rule of a format as one for any bytes: those which are not of the format any more are damaged byte by byte. */
export const ruled = (rule) => (bytes, next) => {
  try {
    return rule(bytes, next)
  } catch {
    return mutate(bytes, next)
  }
}
