import { latin1Text } from '../../base/bytes.js'
import { PickleRefusal } from './values.js'

/** Texts and numbers as Python writes them into a pickle. */

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A string of Python 2 as text; bytes that are no UTF-8 one character each. */
export function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return latin1Text(bytes)
  }
}

const integerOf = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** An integer in little-endian two's complement, as short as it goes. */
export function longOf(bytes: Uint8Array): number | bigint {
  let value = 0n
  for (const byte of bytes.reverse()) value = (value << 8n) | BigInt(byte)
  return integerOf(BigInt.asIntN(bytes.length * 8, value))
}

/** An integer in decimal digits, protocol 0. */
export function decimalOf(line: string): number | bigint {
  if (!/^[+-]?\d{1,400}$/.test(line)) throw new PickleRefusal('no whole number where one is expected')
  return integerOf(BigInt(line.replace(/^\+/, '')))
}

/** Text of an opcode whose strings are UTF-8. */
export function unicode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new PickleRefusal('a text that is no UTF-8')
  }
}

/** A number as Python's repr writes it, protocol 0. */
export function pythonFloat(line: string): number {
  if (/^[+-]?nan$/i.test(line)) return NaN
  const infinite = /^([+-]?)inf$/i.exec(line)
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity
  const value = Number(line)
  if (line === '' || Number.isNaN(value)) throw new PickleRefusal('no number where one is expected')
  return value
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' }

/** Python's repr of a byte string, protocol 0. */
export function quotedText(line: string): string {
  const quoted = /^(['"])(.*)\1$/s.exec(line.trimEnd())?.[2]
  if (quoted === undefined) throw new PickleRefusal('a string without quotes')
  return quoted.replace(/\\(x[0-9a-fA-F]{2}|.)/gs, (_, what: string) =>
    what.length === 3 ? String.fromCharCode(parseInt(what.slice(1), 16)) : (ESCAPES[what] ?? what),
  )
}

/** raw-unicode-escape, protocol 0. */
export const rawUnicode = (line: string): string =>
  line.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (all, short?: string, long?: string) => {
    const point = parseInt(short ?? long ?? '', 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : all
  })
