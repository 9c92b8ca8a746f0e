import { random } from '../helpers/tiny-model.js'

/** Code points of every kind that tokenizers treat in a way of their own; those that Unicode 14 knows. */
const RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x20, 0x7e], // ASCII
  [0x00, 0x1f], // controls
  [0x7f, 0xa0],
  [0xa1, 0x17f], // Latin with accents
  [0x300, 0x36f], // combining marks
  [0x370, 0x3ff], // Greek, with its two sigmas
  [0x400, 0x45f], // Cyrillic
  [0x5d0, 0x5ea], // Hebrew
  [0x621, 0x65f], // Arabic with marks
  [0x905, 0x939], // Devanagari
  [0xe01, 0xe3a], // Thai
  [0x1e00, 0x1eff], // Latin with two accents
  [0x2000, 0x206f], // spaces, joiners, punctuation
  [0x2070, 0x209c],
  [0x2460, 0x24ff], // numbers in circles
  [0x2e3a, 0x2e52], // punctuation of later versions of Unicode
  [0x3000, 0x303f], // CJK punctuation
  [0x3041, 0x30ff], // kana
  [0x3400, 0x3430],
  [0x4e00, 0x9fa5], // Chinese
  [0xac00, 0xd7a3], // Hangul
  [0xe000, 0xe010], // private use
  [0xf900, 0xfa6d], // compatibility ideographs
  [0xfb00, 0xfb06], // ligatures
  [0xfe00, 0xfe0f], // variation selectors
  [0xff00, 0xff5e], // full width
  [0xfffc, 0xfffd],
  [0x1d400, 0x1d430], // letters of mathematics
  [0x1f1e6, 0x1f1ff], // flags
  [0x1f300, 0x1f64f], // emoji
  [0x1f3fb, 0x1f3ff],
  [0x20000, 0x20020], // astral Chinese
  [0x2b740, 0x2b81d],
  [0x2b820, 0x2b930],
  [0x2f800, 0x2f81f],
  [0xe0100, 0xe0110],
  [0xf0000, 0xf0003], // private use, astral
]

/** Pieces that code points alone hardly make. */
const PIECES = [
  '[CLS]',
  '[SEP]',
  '[MASK]',
  '[UNK]',
  '[PAD]',
  '<pad>',
  '<unk>',
  '<s>',
  '</s>',
  '<mask>',
  '[cls]',
  '[ MASK ]',
  '<e1>',
  '</e1>',
  '<E1>',
  '[NUM]',
  '[num]',
  '<subj>',
  '</subj>',
  '<e1',
  ' ',
  '  ',
  '\n',
  '\t',
  '\u3000',
  'the ',
  'cat ',
  'unaffable',
  'good',
  'Bad,',
  "``x''",
  '9,',
  '1,000',
  '1,000,',
  ' 12, ',
  'don’t',
  'naïve',
  'Café',
  'ΑΣ ',
  'İstanbul',
  'Straße',
  '今天',
  '国家',
  '今日はいい天気ですね',
  'ﬁ',
  '㎏',
  '①',
  '👩‍👩‍👧',
  '🇩🇪',
  'e\u0301',
  '<\u0338',
  '##a',
  '\u2581',
  '\u2581the',
]

/** `count` texts, always the same for a seed. */
export function randomTexts(count: number, seed: number): string[] {
  const next = random(seed)
  const below = (n: number): number => Math.floor(next() * n)
  const word = (): string => {
    const kind = next()
    if (kind < 0.45) return PIECES[below(PIECES.length)]!
    if (kind < 0.47) return 'unaffable'.repeat(8 + below(16))
    const [first, last] = RANGES[below(RANGES.length)]!
    return Array.from({ length: 1 + below(4) }, () => String.fromCodePoint(first + below(last - first + 1))).join('')
  }
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + below(14) }, () => word() + (next() < 0.3 ? ' ' : '')).join(''),
  )
}
