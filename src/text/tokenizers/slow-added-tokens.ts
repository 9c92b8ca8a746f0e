import { expand, slice, type Aligned } from './aligned.js'
import type { AddedToken, Part } from './added-tokens.js'
import { PYTHON_SPACE } from './unicode.js'

/** Added tokens as the Python tokenizers of transformers match them (tokenization_utils.py). */

interface Node {
  readonly next: Map<string, Node>
  end: boolean
}
const newNode = (): Node => ({ next: new Map(), end: false })

/** Start and end of a match. */
type Cut = readonly [start: number, end: number]

/** `Trie` of tokenization_utils.py. */
export class Trie {
  readonly #root = newNode()

  constructor(words: Iterable<string>) {
    for (const word of words) {
      if (word === '') continue
      let node = this.#root
      for (const char of word) {
        let next = node.next.get(char)
        if (next === undefined) node.next.set(char, (next = newNode()))
        node = next
      }
      node.end = true
    }
  }

  /**
   * The match that a state which has ended leads to: earlier states are followed further, and so is this one, to its
   * longest word.
   */
  #lookAhead(chars: readonly string[], states: ReadonlyMap<number, Node>, from: number, current: number) {
    let [start, end, skip] = [from, current, 0]
    for (const [begin, state] of states) {
      if (begin > start) break
      let node = state
      // An earlier state has taken the current character already, this one has not.
      let index = begin < start ? current + 1 : current
      end = index
      if (node.end) [start, end, skip] = [begin, index, index]
      for (;;) {
        const next = index < chars.length ? node.next.get(chars[index]!) : undefined
        if (next === undefined) break
        node = next
        index++
        if (node.end) [start, end, skip] = [begin, index, index]
      }
    }
    return { cut: [start, end] as Cut, skip }
  }

  /** `split`: the places at which the text is cut. */
  cuts(chars: readonly string[]): number[] {
    let states = new Map<number, Node>()
    const offsets: number[] = [0]
    let skip = 0
    for (let current = 0; current < chars.length; current++) {
      if (skip !== 0 && current < skip) continue
      const ended: number[] = []
      let reset = false
      for (const [start, node] of states) {
        if (node.end) {
          const found = this.#lookAhead(chars, states, start, current)
          if (found.skip > 0) skip = found.skip
          offsets.push(...found.cut)
          reset = true
          break
        }
        const next = node.next.get(chars[current]!)
        if (next === undefined) ended.push(start)
        else states.set(start, next)
      }
      if (reset) states = new Map()
      else for (const start of ended) states.delete(start)
      const first = this.#root.next.get(chars[current]!)
      if (current >= skip && first !== undefined) states.set(current, first)
    }
    for (const [start, node] of states)
      if (node.end) {
        offsets.push(start, chars.length)
        break
      }
    offsets.push(chars.length)
    return offsets
  }

  /** `cut_text`: the text between the cuts. */
  split(text: Aligned): Aligned[] {
    const parts: Aligned[] = []
    let start = 0
    for (const end of this.cuts(text.chars)) {
      if (start >= end) continue
      parts.push(slice(text, start, end))
      start = end
    }
    return parts
  }
}

/** Lower-cases a text, except at occurrences of `kept`; the first of them that fits counts. */
export function lowerExcept(text: Aligned, kept: readonly (readonly string[])[]): Aligned {
  const { chars } = text
  const isKept = new Uint8Array(chars.length)
  for (let at = 0; at < chars.length;) {
    const found = kept.find((word) => word.every((char, i) => chars[at + i] === char))
    if (found !== undefined) isKept.fill(1, at, at + found.length)
    at += found?.length ?? 1
  }
  let index = 0
  // `.` of the genuine pattern matches no line feed, which has no case anyway.
  return expand(text, (char) => (isKept[index++] === 1 ? char : char.toLowerCase()))
}

const isSpace = (char: string | undefined): boolean => char !== undefined && PYTHON_SPACE.test(char)

function trim(text: Aligned, side: 'start' | 'end'): Aligned {
  let [start, end] = [0, text.chars.length]
  if (side === 'start') while (start < end && isSpace(text.chars[start])) start++
  else while (end > start && isSpace(text.chars[end - 1])) end--
  return slice(text, start, end)
}

const join = (a: Aligned, b: Aligned): Aligned => ({
  chars: [...a.chars, ...b.chars],
  from: [...a.from, ...b.from],
})

/** Parts of a text: added tokens and the text between them, with spaces stripped as the tokens require. */
export function splitSlow(text: Aligned, trie: Trie, tokens: ReadonlyMap<string, AddedToken>): Part[] {
  const parts = trie.split(text)
  const empty: Aligned = { chars: [], from: [] }
  for (let i = 0; i < parts.length; i++) {
    const token = tokens.get(parts[i]!.chars.join(''))
    if (token === undefined) continue
    const [left, right] = [parts[i - 1], parts[i + 1]]
    if (token.rstrip && right !== undefined && right.chars.length > 0) parts[i + 1] = trim(right, 'start')
    if (token.lstrip && left !== undefined && left.chars.length > 0) parts[i - 1] = trim(left, 'end')
    const ownWord = (char: string | undefined): boolean => char !== undefined && char !== ' '
    if (!token.singleWord) continue
    if (ownWord(left?.chars.at(-1))) {
      parts[i - 1] = join(parts[i - 1]!, parts[i]!)
      parts[i] = empty
    } else if (ownWord(right?.chars[0])) {
      parts[i + 1] = join(parts[i]!, parts[i + 1]!)
      parts[i] = empty
    }
  }
  return parts
    .filter(({ chars }) => chars.length > 0)
    .map((part) => ({ text: part, added: tokens.get(part.chars.join('')) ?? null }))
}
