/** A normalised text with the origin of each character: its index in the original text. */
export interface Aligned {
  /** Characters (code points). */
  readonly chars: readonly string[]
  /** For each, the index of the character of the original text that it comes from. */
  readonly from: readonly number[]
}

export const alignedOf = (text: string): Aligned => {
  const chars = Array.from(text)
  return { chars, from: chars.map((_, i) => i) }
}

export const textOf = ({ chars }: Aligned): string => chars.join('')

export const slice = ({ chars, from }: Aligned, start: number, end?: number): Aligned => ({
  chars: chars.slice(start, end),
  from: from.slice(start, end),
})

export function filter(text: Aligned, keep: (char: string) => boolean): Aligned {
  const { chars, from } = text
  const kept = chars.map(keep)
  if (!kept.includes(false)) return text
  return { chars: chars.filter((_, i) => kept[i]), from: from.filter((_, i) => kept[i]) }
}

/** Range of the original text that characters come from; combining marks may be reordered. */
export function span(from: readonly number[], first = 0, end = from.length): { start: number; end: number } {
  let [low, high] = [Infinity, 0]
  for (let i = first; i < end; i++) [low, high] = [Math.min(low, from[i]!), Math.max(high, from[i]! + 1)]
  return { start: low, end: high }
}

/** Replaces each character by any number of them. */
export function expand({ chars, from }: Aligned, replace: (char: string) => string): Aligned {
  const made: string[] = []
  const origin: number[] = []
  chars.forEach((char, i) => {
    for (const part of replace(char)) {
      made.push(part)
      origin.push(from[i]!)
    }
  })
  return { chars: made, from: origin }
}

const ASCII = /^[\0-\x7f]*$/

/**
 * Applies a function that works on the whole text (lower-casing looks at the end of words, normalisation at the order
 * of marks), and takes the origins from what it makes of each character alone.
 */
export function transform(text: Aligned, change: (text: string) => string): Aligned {
  const given = textOf(text)
  const changed = change(given)
  // What stays as a whole stays as it is a character at a time.
  if (changed === given) return text
  const whole = Array.from(changed)
  if (whole.length === text.chars.length && ASCII.test(given)) return { chars: whole, from: text.from }
  const single = expand(text, change)
  if (whole.length === single.chars.length) return { chars: whole, from: reordered(whole, single) }
  // Composition: fewer characters; each takes its position as its origin, limited to the last character.
  const last = text.from.at(-1) ?? 0
  return { chars: whole, from: whole.map((_, i) => single.from[i] ?? last) }
}

/** Combining marks that are searched for a reordered one: more than any script puts on a letter. */
const MAX_MARKS = 64

/**
 * Origins of as many characters as came from each alone: normalisation may have put marks in another order, and a sigma
 * at the end of a word is another one.
 */
function reordered(whole: readonly string[], { chars, from }: Aligned): readonly number[] {
  const origins = from.slice()
  for (let start = 0; start < whole.length; start++) {
    if (whole[start] === chars[start]) continue
    // A run of the same characters in another order; without one, characters correspond one to one.
    const open = new Map<string, number>()
    const count = (char: string, by: number): void => {
      const n = (open.get(char) ?? 0) + by
      if (n === 0) open.delete(char)
      else open.set(char, n)
    }
    let end = start
    do {
      count(whole[end]!, 1)
      count(chars[end]!, -1)
    } while (open.size > 0 && ++end < Math.min(whole.length, start + MAX_MARKS))
    if (open.size > 0) continue
    const places = new Map<string, number[]>()
    for (let i = start; i <= end; i++) places.set(chars[i]!, [...(places.get(chars[i]!) ?? []), from[i]!])
    for (let i = start; i <= end; i++) origins[i] = places.get(whole[i]!)!.shift()!
    start = end
  }
  return origins
}

/** The words between runs of characters that `isSpace` takes. */
export function words(text: Aligned, isSpace: (char: string) => boolean): Aligned[] {
  const found: Aligned[] = []
  let start = -1
  text.chars.forEach((char, i) => {
    if (isSpace(char)) {
      if (start !== -1) found.push(slice(text, start, i))
      start = -1
    } else if (start === -1) start = i
  })
  if (start !== -1) found.push(slice(text, start))
  return found
}

/** Replaces each occurrence of `search`; the origin of the replacement is its first character, or its last. */
export function replaceAll(
  text: Aligned,
  search: string,
  replacement: string,
  origin: 'first' | 'last' = 'first',
): Aligned {
  const wanted = Array.from(search)
  if (wanted.length === 0 || !textOf(text).includes(search)) return text
  const chars: string[] = []
  const from: number[] = []
  for (let at = 0; at < text.chars.length;) {
    const found = wanted.every((char, i) => text.chars[at + i] === char)
    const source = text.from[found && origin === 'last' ? at + wanted.length - 1 : at]!
    for (const char of found ? replacement : text.chars[at]!) {
      chars.push(char)
      from.push(source)
    }
    at += found ? wanted.length : 1
  }
  return { chars, from }
}

/** A range of characters, and whether it matches what a text is split at. */
export interface Range {
  readonly start: number
  readonly end: number
  readonly matches: boolean
}

/** Ranges of a text: the given matches and the gaps between them. */
export function withGaps(length: number, matches: Iterable<readonly [start: number, end: number]>): Range[] {
  const ranges: Range[] = []
  let done = 0
  for (const [start, end] of matches) {
    if (start > done) ranges.push({ start: done, end: start, matches: false })
    ranges.push({ start, end, matches: true })
    done = end
  }
  if (length > done) ranges.push({ start: done, end: length, matches: false })
  return ranges
}
