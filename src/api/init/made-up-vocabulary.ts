import { OutputFile } from '../../files/output-file.js'

/**
 * Vocabulary for a random model, so that tokenizers run: BERT's special tokens at BERT's ids, letters, digits and
 * punctuation, Chinese characters in Unicode order, unused tokens for the rest.
 */

const SPECIAL: readonly (readonly [id: number, token: string])[] = [
  [0, '[PAD]'],
  [100, '[UNK]'],
  [101, '[CLS]'],
  [102, '[SEP]'],
  [103, '[MASK]'],
]
const WORD = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** CJK Unified Ideographs, the block of common Chinese characters. */
const [FIRST, LAST] = [0x4e00, 0x9fa5]

function* ordinary(): Generator<string> {
  for (let code = 33; code < 127; code++) yield String.fromCharCode(code)
  for (const letter of WORD) yield `##${letter}`
  for (let code = FIRST; code <= LAST; code++) yield String.fromCodePoint(code)
  for (let code = FIRST; code <= LAST; code++) yield `##${String.fromCodePoint(code)}`
}

/** Yields `size` distinct tokens. If `size` is too small for BERT's ids, the special tokens are first. */
export function* madeUpVocabulary(size: number): Generator<string> {
  const special = new Map(size > 200 ? SPECIAL : SPECIAL.map(([, token], i) => [i, token] as const))
  const tokens = ordinary()
  let unused = 0
  for (let id = 0; id < size; id++) {
    const fixed = special.get(id)
    if (fixed !== undefined) yield fixed
    else if (size > 200 && id < 100) yield `[unused${++unused}]`
    else {
      const next = tokens.next()
      yield next.done === true ? `[unused${++unused}]` : next.value
    }
  }
}

/** Writes a vocabulary of `size` lines. @throws AlbertkitError `output` */
export function writeVocabulary(path: string, size: number): void {
  const file = new OutputFile(path)
  const encoder = new TextEncoder()
  try {
    let lines: string[] = []
    for (const token of madeUpVocabulary(size)) {
      if (lines.push(token) < 65536) continue
      file.write(encoder.encode(`${lines.join('\n')}\n`))
      lines = []
    }
    if (lines.length > 0) file.write(encoder.encode(`${lines.join('\n')}\n`))
  } finally {
    file.close()
  }
}
