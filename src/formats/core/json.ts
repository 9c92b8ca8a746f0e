/**
 * Checks of a JSON text that `JSON.parse` does not make: it keeps the last of two equal keys and forgets how a number
 * was written. A reader that trusts a header must see both.
 */
export class StrictJsonError extends Error {}

/** A whole number as the header must write it: no sign, fraction or exponent. */
export const isPlainInteger = (raw: string): boolean => /^(0|[1-9]\d*)$/.test(raw)

/** A number that keeps its text. */
export class RawNumber {
  constructor(readonly text: string) {}
}

export type StrictValue = null | boolean | string | RawNumber | StrictValue[] | StrictObject
/** Entries in order, repeated keys included. */
export class StrictObject {
  constructor(readonly entries: readonly (readonly [string, StrictValue])[]) {}

  get(key: string): StrictValue | undefined {
    return this.entries.find(([k]) => k === key)?.[1]
  }
}

const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const SPACE = /[ \t\r\n]*/y
/** serde_json's own limit; deeper headers are attacks. */
const MAX_DEPTH = 127
/** The largest model has some ten thousand tensors, each of ten values or so; more are there to fill the memory. */
const MAX_VALUES = 4_000_000

/** Parses `text`, keeping duplicate keys and the spelling of numbers. */
export function parseStrict(text: string): StrictValue {
  let at = 0
  let values = 0
  const fail = (what: string): StrictJsonError => new StrictJsonError(`${what} at character ${at}`)
  const skip = (): void => {
    SPACE.lastIndex = at
    SPACE.exec(text)
    at = SPACE.lastIndex
  }
  const token = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? null
    if (found !== null) at += found.length
    return found
  }
  // Step by step, not by one pattern: that has no room on the stack for the longest strings.
  const string = (): string => {
    const start = at
    let valid = text[at++] === '"'
    for (; valid; valid = token(ESCAPE) !== null) {
      token(PLAIN)
      if (text[at] === '"') break
    }
    const raw = text.slice(start, at + 1)
    at = valid ? at + 1 : start
    if (!valid) throw fail('no valid string')
    const value = JSON.parse(raw) as string
    if (LONE_SURROGATE.test(value)) throw fail('half of a surrogate pair')
    return value
  }
  const list = <T>(close: string, item: () => T): T[] => {
    const items: T[] = []
    at++
    skip()
    if (text[at] === close) {
      at++
      return items
    }
    for (;;) {
      skip()
      items.push(item())
      skip()
      const next = text[at++]
      if (next === close) return items
      if (next !== ',') throw fail(`neither , nor ${close}`)
    }
  }
  const value = (depth: number): StrictValue => {
    if (depth > MAX_DEPTH) throw fail('nested too deep')
    if (++values > MAX_VALUES) throw fail('too many values')
    skip()
    const first = text[at]
    if (first === '{') {
      return new StrictObject(
        list('}', () => {
          const key = string()
          skip()
          if (text[at++] !== ':') throw fail('no colon')
          return [key, value(depth + 1)] as const
        }),
      )
    }
    if (first === '[') return list(']', () => value(depth + 1))
    if (first === '"') return string()
    for (const [word, meaning] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (!text.startsWith(word, at)) continue
      at += word.length
      return meaning
    }
    const number = token(NUMBER)
    if (number === null) throw fail('no JSON value')
    return new RawNumber(number)
  }
  const result = value(0)
  skip()
  if (at < text.length) throw fail('something after the value')
  return result
}
