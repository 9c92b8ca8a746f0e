import { describe, expect, it } from 'vitest'
import { violations, type Right } from '../helpers/field-right.js'

const wrongIn = (right: Right, stdout: string, { exit = 0, stderr = '', given = [] as string[] } = {}): string[] =>
  violations(right, { exit, stdout, words: `${stdout}\n${stderr}` }, given)

describe('the language of the field cases', () => {
  it('compares probabilities in order and by label', () => {
    const line = '{"label":"b","probabilities":{"a":0.25,"b":0.75}}\n'
    expect(wrongIn({ exit: 0, probabilities: [[0.25, 0.75]] }, line)).toEqual([])
    expect(wrongIn({ probabilities: [[0.75, 0.25]] }, line)).toEqual(['probabilities'])
    expect(wrongIn({ probabilities: [{ b: 0.75, a: 0.25 }] }, line)).toEqual([])
    expect(wrongIn({ probabilities: [{ b: 0.25 }] }, line)).toEqual(['probabilities'])
    expect(wrongIn({ probabilities: [[0.25, 0.75]] }, line + line)).toEqual(['probabilities'])
    expect(wrongIn({ probabilities: [[0.2502, 0.7498]] }, line)).toEqual(['probabilities'])
    expect(wrongIn({ probabilities: [[0.2502, 0.7498]], atol: 1e-3 }, line)).toEqual([])
  })

  it('counts values only with exit code 0 or 3', () => {
    expect(wrongIn({ cosine: 0.5 }, '0.50000')).toEqual([])
    expect(wrongIn({ cosine: 0.5 }, '0.50000', { exit: 3 })).toEqual([])
    expect(wrongIn({ cosine: 0.5 }, '0.50000', { exit: 1 })).toEqual(['cosine'])
  })

  it('compares tokens, vectors, best guesses, tags and figures', () => {
    expect(wrongIn({ tokens: [['a'], ['b', 'c']] }, '{"tokens":["a"]}\n{"tokens":["b","c"]}\n')).toEqual([])
    expect(wrongIn({ tokens: [['a']] }, '{"tokens":["b"]}\n')).toEqual(['tokens'])
    expect(wrongIn({ vectors: [[1, 2]] }, '{"vector":[1,2]}\n')).toEqual([])
    expect(wrongIn({ vectors: [[1, 2]] }, '{"vector":[1]}\n')).toEqual(['vectors'])
    const guesses = '{"masks":[{"candidates":[{"token":"x","id":1},{"token":"y","id":2}]}]}'
    expect(wrongIn({ best: ['x', 'y'] }, guesses)).toEqual([])
    expect(wrongIn({ best: ['y', 'x'] }, guesses)).toEqual(['best'])
    expect(wrongIn({ tags: [['O', 'B']] }, '{"tags":["O","B"]}\n')).toEqual([])
    expect(wrongIn({ tags: [['O', 'B']] }, '{"entities":[{"t":"a","tag":"O"},{"t":"b","tag":"B"}]}\n')).toEqual([])
    expect(wrongIn({ tags: [['O', 'B']] }, '{"tags":["O"]}\n')).toEqual(['tags'])
    expect(wrongIn({ figures: { loss: 0.5 } }, '{"eval":{"eval_loss":0.5}}')).toEqual([])
    expect(wrongIn({ figures: { loss: 0.5 } }, '{"loss":0.5,"train_loss":0.4}')).toEqual(['figures'])
    expect(wrongIn({ figures: { loss: 0.5 } }, '{}')).toEqual(['figures'])
  })

  it('looks for words in any case, not in what was given on the command line', () => {
    const said = { stderr: 'error: LoRA in /tmp/lora_dir; try --Config', exit: 4 }
    expect(wrongIn({ exit: [2, 4], mentions: ['lora'] }, '', said)).toEqual([])
    expect(wrongIn({ mentions: [['x', '--config']] }, '', said)).toEqual([])
    expect(wrongIn({ mentions: ['lora_dir'] }, '', { ...said, given: ['/tmp/lora_dir'] })).toEqual(['mentions'])
    expect(wrongIn({ not: ['LORA'] }, '', said)).toEqual(['not'])
    expect(wrongIn({ exit: 0 }, '', said)).toEqual(['exit'])
  })

  it('takes no stack trace', () => {
    const stderr = 'Error: x\n    at open (file:///a/b.js:12:3)\n'
    expect(wrongIn({ exit: 1 }, '', { stderr, exit: 1 })).toEqual(['no stack trace'])
  })
})
