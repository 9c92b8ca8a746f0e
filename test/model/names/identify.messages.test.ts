import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../../src/api/open/open.js'
import { AlbertkitError } from '../../../src/base/errors.js'
import type { TensorInfo, TensorSource } from '../../../src/formats/core/source.js'
import { identify } from '../../../src/model/names/identify.js'

/** What is said of a file of no known family, and where configuration and weights disagree. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-messages-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

/** A file that has these names and nothing else to look at. */
function named(names: readonly string[]): TensorSource {
  const info = (name: string): TensorInfo => ({ name, dtype: 'F32', shape: [4], byteLength: 16, file: 'x.ckpt' })
  const tensors = new Map(names.map((name) => [name, info(name)]))
  return { format: 'test', files: ['x.ckpt'], tensors, notes: [] } as unknown as TensorSource
}

function refusal(names: readonly string[]): AlbertkitError {
  try {
    identify(named(names))
  } catch (error) {
    if (error instanceof AlbertkitError) return error
    throw error
  }
  throw new Error('it was identified')
}

describe('a file of no known family', () => {
  it('is unsupported, with the nearest family and what is missing for it', () => {
    const embeddings = [
      'word_embeddings',
      'position_embeddings',
      'token_type_embeddings',
      'LayerNorm/gamma',
      'LayerNorm/beta',
    ]
    const error = refusal(embeddings.map((name) => `bert/embeddings/${name}`))
    expect(error).toMatchObject({ kind: 'unsupported', exitCode: 4, place: { file: 'x.ckpt' } })
    expect(error.message).toContain('bert/embeddings/word_embeddings')
    expect(error.hint).toMatch(/^nearest is .*: 5 names fit, but encoder\/\S+, encoder\/\S+ and 14 more are missing$/)
  })

  it('of TensorFlow names of transformers without layers is nearest to that', () => {
    const error = refusal(['albert/pooler/kernel:0', 'albert/embeddings/LayerNorm/gamma:0', 'predictions/bias:0'])
    expect(error.hint).toMatch(/^nearest is Hugging Face ALBERT for TensorFlow: 3 names fit, but /)
  })

  it('of which nothing fits names the families that are known', () => {
    const error = refusal(['layers/conv2d/vars/0', 'layers/conv2d/vars/1'])
    expect(error.message).toContain('layers/conv2d/vars/0')
    expect(error.hint).toMatch(/^known families: zh, google_fast, google, bert, hf$/)
  })
})

const folder = (name: string): string => fileURLToPath(new URL(`../../fixtures/formats/h5/${name}`, import.meta.url))

/** What opening a fixture says where fields of its configuration are others. */
async function disagreement(name: string, fields: Readonly<Record<string, number>>): Promise<AlbertkitError> {
  const given = JSON.parse(readFileSync(join(folder(name), 'config.json'), 'utf8')) as object
  const config = join(out, 'config.json')
  writeFileSync(config, JSON.stringify({ ...given, ...fields }))
  const error: unknown = await openModel(folder(name), { config }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(AlbertkitError)
  return error as AlbertkitError
}

describe('a configuration that does not fit the weights', () => {
  it.each([
    ['vocab_size', 32, 31],
    ['embedding_size', 8, 6],
    ['intermediate_size', 16, 12],
    ['hidden_size', 16, 8],
    ['max_position_embeddings', 12, 10],
    ['type_vocab_size', 3, 2],
  ] as const)('%s: the field, a tensor, and what would fit', async (field, wrong, right) => {
    const error = await disagreement('TFAlbertForMaskedLM', { [field]: wrong })
    expect(error).toMatchObject({ kind: 'malformed', exitCode: 3, place: { field, file: join(out, 'config.json') } })
    expect(error.place.tensor).toMatch(/^(albert|predictions)\//)
    expect(error.message).toContain(`${field} is ${wrong}`)
    expect(error.hint).toContain(`${field} ${right} would fit`)
  })

  it('too few layers: what would fit; too many: what is missing', async () => {
    const few = await disagreement('TFBertModel', { num_hidden_layers: 1 })
    expect(few).toMatchObject({ kind: 'malformed', place: { field: 'num_hidden_layers' } })
    expect(few.place.tensor).toContain('layer_._1')
    expect(few.hint).toContain('num_hidden_layers 2 would fit')
    const many = await disagreement('TFBertModel', { num_hidden_layers: 3 })
    expect(many.kind).toBe('malformed')
    expect(`${many.message} ${many.place.tensor ?? ''} ${many.hint ?? ''}`).toMatch(/layer_._2/)
    expect(`${many.message} ${many.hint ?? ''}`).toContain('num_hidden_layers')
  })

  it('a number of heads that does not divide: which would', async () => {
    const error = await disagreement('TFBertModel', { num_attention_heads: 3 })
    expect(error).toMatchObject({ kind: 'malformed', place: { field: 'num_attention_heads' } })
    expect(error.hint).toContain('1, 2, 4, 8 would fit')
  })
})
