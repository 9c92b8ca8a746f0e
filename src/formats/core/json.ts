import { MAX_JSON_DEPTH } from '../../base/json-text.js'

/**
 * Strict JSON parser for file headers. `JSON.parse` silently keeps the last of two equal keys and loses the spelling of
 * numbers (`1.0`, `1e3`); a reader that validates a header must see both.
 */
export class StrictJsonError extends Error {}

/** True for a non-negative integer without sign, fraction or exponent. */
export const isPlainInteger = (raw: string): boolean => /^(0|[1-9]\d*)$/.test(raw)

/** A number as it is spelled in the text. */
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

  /** A key that occurs twice; null if there is none. */
  repeated(): string | null {
    const keys = new Set<string>()
    for (const [key] of this.entries) {
      if (keys.has(key)) return key
      keys.add(key)
    }
    return null
  }
}

const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
/**
 * Values that are kept of one text. The attack: two bytes a value, each an object of a hundred in memory. The longest
 * honest texts, indices of as many tensors as may be (limits.ts), have a value for each.
 */
const MAX_VALUES = 500_000

const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** Makes as little garbage as it can: a header may have a million values, and what is not yet collected is memory too. */
class StrictParser {
  #at = 0
  #values = 0

  constructor(readonly text: string) {}

  parse(): StrictValue {
    const result = this.#value(0)
    this.#end()
    return result
  }

  /** Gives each entry of the outermost object to `visit`, and keeps none. */
  visit(visit: (key: string, value: StrictValue) => void): void {
    this.#skip()
    if (this.text[this.#at] !== '{') throw this.#fail('no JSON object')
    this.#list('}', () => {
      visit(...this.#entry(0))
      this.#values = 0
    })
    this.#end()
  }

  #end(): void {
    this.#skip()
    if (this.#at < this.text.length) throw this.#fail('something after the value')
  }

  #fail(what: string): StrictJsonError {
    return new StrictJsonError(`${what} at character ${this.#at}`)
  }

  #skip(): void {
    while (isSpace(this.text.charCodeAt(this.#at))) this.#at++
  }

  /** Goes past what fits a sticky pattern, which may be nothing; false if nothing here fits. */
  #pass(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    const fits = pattern.test(this.text)
    if (fits) this.#at = pattern.lastIndex
    return fits
  }

  // Step by step, not by one pattern: that has no room on the stack for the longest strings.
  #string(): string {
    const start = this.#at
    let valid = this.text[this.#at++] === '"'
    for (; valid; valid = this.#pass(ESCAPE)) {
      this.#pass(PLAIN)
      if (this.text[this.#at] === '"') break
    }
    const raw = this.text.slice(start, this.#at + 1)
    this.#at = valid ? this.#at + 1 : start
    if (!valid) throw this.#fail('no valid string')
    const value = JSON.parse(raw) as string
    if (LONE_SURROGATE.test(value)) throw this.#fail('half of a surrogate pair')
    return value
  }

  /** Takes what stands in brackets: `item` takes one. */
  #list(close: string, item: () => unknown): void {
    this.#at++
    this.#skip()
    if (this.text[this.#at] === close) {
      this.#at++
      return
    }
    for (;;) {
      this.#skip()
      item()
      this.#skip()
      const next = this.text[this.#at++]
      if (next === close) return
      if (next !== ',') throw this.#fail(`neither , nor ${close}`)
    }
  }

  #object(depth: number): StrictObject {
    const entries: (readonly [string, StrictValue])[] = []
    this.#list('}', () => entries.push(this.#entry(depth)))
    return new StrictObject(entries)
  }

  #entry(depth: number): readonly [string, StrictValue] {
    const key = this.#string()
    this.#skip()
    if (this.text[this.#at++] !== ':') throw this.#fail('no colon')
    return [key, this.#value(depth + 1)]
  }

  #array(depth: number): StrictValue[] {
    const items: StrictValue[] = []
    this.#list(']', () => items.push(this.#value(depth + 1)))
    return items
  }

  #value(depth: number): StrictValue {
    if (depth > MAX_JSON_DEPTH) throw this.#fail('nested too deep')
    if (++this.#values > MAX_VALUES) throw this.#fail('too many values')
    this.#skip()
    const first = this.text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    for (const [word, meaning] of WORDS) {
      if (!this.text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return meaning
    }
    const start = this.#at
    if (!this.#pass(NUMBER)) throw this.#fail('no JSON value')
    return new RawNumber(this.text.slice(start, this.#at))
  }
}

/**
 * Parses an object that may have a million entries: gives them to `visit` one by one.
 * @throws StrictJsonError also if `text` is another value, and what `visit` throws
 */
export const visitStrict = (text: string, visit: (key: string, value: StrictValue) => void): void => {
  new StrictParser(text).visit(visit)
}

/** Parses `text`, keeping duplicate keys and the spelling of numbers. @throws StrictJsonError */
export const parseStrict = (text: string): StrictValue => new StrictParser(text).parse()
