import { describe, expect, it } from 'vitest'
import { candidatesOf } from '../../../src/api/inference/candidates.js'
import { WordPieceTokenizer } from '../../../src/text/tokenizers/wordpiece.js'

const NAMES = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a']
const tokenizer = new WordPieceTokenizer(new Map(NAMES.map((name, id) => [name, id])), {
  file: 'vocab.txt',
  lowerCase: true,
})
/** Two rows behind the vocabulary. */
const SIZE = NAMES.length + 2

describe('candidatesOf', () => {
  const input_ids = [2, 4, 5, 4, 3]
  const features = { input_ids, token_type_ids: input_ids.map(() => 0) }
  const logits = new Float32Array(input_ids.length * SIZE)
  logits.set([0, 3, 1, 3, 2, -1, 9, 9], SIZE)
  logits.set([5, 0, 0, 0, 0, 0, 0, 0], 3 * SIZE)
  const idsOf = (top: number): number[] =>
    [...candidatesOf(tokenizer, features, logits, { size: SIZE, top })].filter((_, i) => i % 2 === 0)

  it('gives the best named tokens of each mask, equal ones by their ids', () => {
    expect(idsOf(3)).toEqual([1, 3, 4, 0, 1, 2])
    expect(idsOf(1)).toEqual([1, 0])
  })

  it('gives all that there are if more are asked for', () => {
    expect(idsOf(100)).toEqual([1, 3, 4, 2, 0, 5, 0, 1, 2, 3, 4, 5])
  })

  it('counts rows without a token in the probabilities', () => {
    const [, first] = candidatesOf(tokenizer, features, logits, { size: SIZE, top: 1 })
    const sum = [0, 3, 1, 3, 2, -1, 9, 9].reduce((total, x) => total + Math.exp(x), 0)
    expect(first).toBeCloseTo(Math.exp(3) / sum, 7)
  })
})
