import { describe, expect, it } from 'vitest'
import { settleTied } from '../../../src/model/load/tied.js'
import { identify } from '../../../src/model/names/identify.js'
import { modelShapes, namedSource } from '../../helpers/named-source.js'

const WORDS = 'albert.embeddings.word_embeddings.weight'
const DECODER = 'predictions.decoder.weight'
const BIAS = 'predictions.bias'
const DECODER_BIAS = 'predictions.decoder.bias'

const SHAPES = modelShapes('Hugging Face ALBERT', { parts: ['mlm', 'mlm/decoder', 'mlm/decoder_bias'] })
const words = Array.from({ length: 44 }, (_, i) => i / 7)
const bias = Array.from({ length: 11 }, (_, i) => -i)
const other = (values: readonly number[], at: number): number[] => values.map((x, i) => (i === at ? x + 1 : x))

function settle(values: Record<string, readonly number[]>, without: string | null = null, shapes = SHAPES) {
  const { [without ?? '']: _, ...rest } = shapes
  const source = namedSource(rest, { values: { [WORDS]: words, [BIAS]: bias, ...values } })
  const before = identify(source)
  const { found, notes } = settleTied(source, before)
  const variableOf = (slot: string): string | null => found.mapped.get(slot)?.variable ?? null
  return {
    word: variableOf('embeddings/word_embeddings'),
    decoder: variableOf('mlm/decoder'),
    bias: variableOf('mlm/output_bias'),
    decoderBias: variableOf('mlm/decoder_bias'),
    skipped: found.skipped,
    notes,
    slots: [...found.mapped].every(([slot, mapped]) => slot === mapped.slot),
    kept: found.mapped.size - before.mapped.size,
  }
}

describe('the decoder of the masked-token head', () => {
  it('that is a copy of the word embeddings is left out, and so is the copy of its bias', () => {
    expect(settle({ [DECODER]: words, [DECODER_BIAS]: bias })).toEqual({
      word: WORDS,
      decoder: null,
      bias: BIAS,
      decoderBias: null,
      skipped: [
        { variable: DECODER, reason: `tied copy of ${WORDS}` },
        { variable: DECODER_BIAS, reason: `tied copy of ${BIAS}` },
      ],
      notes: [],
      slots: true,
      kept: -2,
    })
  })

  it.each([0, 21, 43])('that differs in element %d is used', (at) => {
    expect(settle({ [DECODER]: other(words, at), [DECODER_BIAS]: bias })).toMatchObject({
      word: WORDS,
      decoder: DECODER,
      notes: [`${DECODER} is not equal to ${WORDS}: it is used as a decoder of its own, not tied`],
      skipped: [{ variable: DECODER_BIAS, reason: `tied copy of ${BIAS}` }],
    })
  })

  it('of another shape is used', () => {
    const shapes = { ...SHAPES, [DECODER]: [4, 11] }
    expect(settle({ [DECODER]: words, [DECODER_BIAS]: bias }, null, shapes)).toMatchObject({ decoder: DECODER })
  })

  it('stands for word embeddings that the file lacks', () => {
    expect(settle({ [DECODER]: words, [DECODER_BIAS]: bias }, WORDS)).toMatchObject({
      word: DECODER,
      decoder: null,
      slots: true,
      notes: [],
    })
  })

  it('has a bias of its own, which is used', () => {
    expect(settle({ [DECODER]: words, [DECODER_BIAS]: other(bias, 10) })).toEqual({
      word: WORDS,
      decoder: null,
      bias: DECODER_BIAS,
      decoderBias: null,
      skipped: [
        { variable: DECODER, reason: `tied copy of ${WORDS}` },
        { variable: BIAS, reason: `not used: ${DECODER_BIAS} is another` },
      ],
      notes: [`${DECODER_BIAS} is not equal to ${BIAS}: the decoder's own bias is used`],
      slots: true,
      kept: -2,
    })
  })

  it('is equal by bits: zero is not minus zero, NaN is NaN', () => {
    const at = (value: number): number[] => words.map((x, i) => (i === 1 ? value : x))
    const settled = (a: number, b: number): string | null =>
      settle({ [WORDS]: at(a), [DECODER]: at(b), [DECODER_BIAS]: bias }).decoder
    expect(settled(0, -0)).toBe(DECODER)
    expect(settled(NaN, NaN)).toBeNull()
  })
})

it('compares tables that are larger than one piece to their end', () => {
  const size = (1 << 18) + 5
  const name = ['embeddings/word_embeddings', 'mlm/decoder'] as const
  const equal = (at: number | null): boolean => {
    const base = new Array<number>(size).fill(1)
    const copy = at === null ? base : other(base, at)
    const source = namedSource({ a: [size], b: [size] }, { values: { a: base, b: copy } })
    const found = identify(namedSource(SHAPES))
    const [first, second] = name.map((slot) => found.mapped.get(slot)!)
    const mapped = new Map([
      [name[0], { ...first!, variable: 'a' }],
      [name[1], { ...second!, variable: 'b' }],
    ])
    return !settleTied(source, { ...found, mapped }).found.mapped.has('mlm/decoder')
  }
  expect([null, 0, (1 << 18) - 1, 1 << 18, size - 1].map(equal)).toEqual([true, false, false, false, false])
})

it('leaves a model without a decoder as it is', () => {
  const source = namedSource(modelShapes('Hugging Face ALBERT'))
  const found = identify(source)
  expect(settleTied(source, found)).toEqual({ found, notes: [] })
})
