import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspectModel } from '../../src/api/inspect/inspect.js'
import { openModel } from '../../src/api/open/open.js'
import { AlbertkitError } from '../../src/base/errors.js'
import { writeRandomModel, type Kind, type Shape } from '../helpers/random-model.js'

/** Which configuration is read, how, and what of it is refused. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-configs-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

const SHAPE: Shape = {
  layers: 2,
  groups: 1,
  inner: 1,
  hidden: 16,
  embedding: 8,
  intermediate: 16,
  sharing: 'all',
  preNorm: false,
  act: 'gelu_tanh',
  heads: ['classifier'],
  pooler: true,
}
const sources = new Map<Kind, string>()
beforeAll(async () => {
  for (const kind of ['zh', 'bert', 'hf albert', 'hf bert'] as const) {
    sources.set(kind, join(out, kind))
    await writeRandomModel(join(out, kind), kind, SHAPE)
  }
})

let count = 0
/** A copy of a model's folder, and the fields of its configuration under whatever name it has. */
function copyOf(kind: Kind): { directory: string; file: string; fields: Record<string, unknown> } {
  const directory = join(out, `copy ${String(count++)}`)
  cpSync(sources.get(kind)!, directory, { recursive: true })
  const name = kind === 'zh' ? 'albert_config.json' : kind === 'bert' ? 'bert_config.json' : 'config.json'
  const file = join(directory, name)
  return { directory, file, fields: JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown> }
}

async function refusal(path: string): Promise<AlbertkitError> {
  const error: unknown = await openModel(path).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(AlbertkitError)
  return error as AlbertkitError
}

/** What is said of a model whose configuration has other fields. */
async function withFields(kind: Kind, changes: Record<string, unknown>): Promise<AlbertkitError> {
  const { directory, file, fields } = copyOf(kind)
  writeFileSync(file, JSON.stringify({ ...fields, ...changes }))
  return refusal(directory)
}

describe('of several configurations in a folder', () => {
  it("weights of transformers are read by transformers' rules, with another gelu", async () => {
    const { directory, fields } = copyOf('hf albert')
    const { model_type: _, ...others } = fields
    writeFileSync(join(directory, 'albert_config.json'), JSON.stringify({ ...others, hidden_act: 'gelu' }))
    const { config, notes } = await inspectModel(directory)
    expect(config).toMatchObject({ hidden_act: 'gelu_tanh', file: join(directory, 'config.json') })
    expect(notes.join('\n')).toContain('using config.json')
    expect(notes.join('\n')).toContain('ignoring albert_config.json')
  })

  it("weights of TensorFlow by TensorFlow's, also under another file name", async () => {
    const { directory, file } = copyOf('zh')
    copyFileSync(file, join(directory, 'albert_config_tiny.json'))
    rmSync(file)
    writeFileSync(join(directory, 'config.json'), JSON.stringify({ model_type: 'bert', hidden_size: 3 }))
    expect((await inspectModel(directory)).config?.file).toBe(join(directory, 'albert_config_tiny.json'))
    const bert = copyOf('bert')
    writeFileSync(join(bert.directory, 'albert_config.json'), '{}')
    expect((await inspectModel(bert.directory)).config?.file).toBe(bert.file)
  })

  it('of the folder above is only named, with the option that takes it', async () => {
    const { directory, file } = copyOf('hf albert')
    const below = join(directory, 'checkpoint-7')
    mkdirSync(below)
    copyFileSync(join(directory, 'model.safetensors'), join(below, 'model.safetensors'))
    const error = await refusal(below)
    expect(error).toMatchObject({
      kind: 'malformed',
      hint: `if ${file} belongs to these weights, give it as \`config\``,
    })
    ;(await openModel(below, { config: file })).close()
  })
})

describe('a configuration as Python writes it', () => {
  it('may hold NaN and Infinity, which JSON has no word for', async () => {
    const { directory, file, fields } = copyOf('hf albert')
    const text = JSON.stringify({ ...fields, a: 1, b: 'NaN, "Infinity"' })
    writeFileSync(file, text.replace('"a":1', '"a":[NaN, -Infinity, Infinity]'))
    ;(await openModel(directory)).close()
  })

  it.each([
    ['// a comment\n{}', 'Unexpected token'],
    ['{"hidden_size": NaN,}', 'JSON'],
  ])('%j: what is wrong with it', async (text, words) => {
    const { directory, file } = copyOf('hf albert')
    writeFileSync(file, text)
    const error = await refusal(directory)
    expect(error).toMatchObject({ kind: 'malformed', place: { file } })
    expect(error.message).toContain(words)
  })

  it('in UTF-16 is reported as such', async () => {
    const { directory, file } = copyOf('hf albert')
    writeFileSync(file, Buffer.from(`\uFEFF{}`, 'utf16le'))
    expect(await refusal(directory)).toMatchObject({ kind: 'malformed', message: 'the configuration is UTF-16' })
  })
})

describe('a model that computes something else with the same names', () => {
  it.each([
    ['hf bert', { model_type: 'roberta' }, 'unsupported', 'model_type'],
    ['hf bert', { model_type: 'albert' }, 'malformed', 'model_type'],
    ['hf albert', { model_type: 'bert' }, 'malformed', 'model_type'],
    ['hf bert', { is_decoder: true }, 'unsupported', 'is_decoder'],
    ['hf bert', { add_cross_attention: true }, 'unsupported', 'add_cross_attention'],
    ['hf albert', { hidden_act: 'quick_gelu' }, 'unsupported', 'hidden_act'],
    ['hf albert', { hidden_act: null }, 'malformed', 'hidden_act'],
    ['hf albert', { num_attention_heads: null }, 'malformed', 'num_attention_heads'],
  ] as const)('%s %j is refused', async (kind, changes, error, field) => {
    expect(await withFields(kind, changes)).toMatchObject({ kind: error, place: { field } })
  })

  it("transformers' ALBERT passes over is_decoder", async () => {
    const { directory, file, fields } = copyOf('hf albert')
    writeFileSync(file, JSON.stringify({ ...fields, is_decoder: true }))
    ;(await openModel(directory)).close()
  })
})

describe('a classifier of sequences without a pooler', () => {
  it('lacks it, where the configuration says what it classifies', async () => {
    const directory = join(out, 'no pooler')
    await writeRandomModel(directory, 'hf albert', SHAPE, 1, (slot, { noise }) =>
      slot.startsWith('pooler/') ? null : noise,
    )
    const file = join(directory, 'config.json')
    const fields = JSON.parse(readFileSync(file, 'utf8')) as object
    // Nothing says what it is of: then it can only be of tokens.
    expect((await inspectModel(directory)).heads).toEqual(['token-classifier'])
    writeFileSync(file, JSON.stringify({ ...fields, architectures: ['AlbertForSequenceClassification'] }))
    expect(await refusal(directory)).toMatchObject({
      kind: 'malformed',
      message: 'albert.pooler.weight is missing, and 1 more variable',
    })
  })
})

describe("albert_zh's configuration without ln_type", () => {
  it.each([
    ['all', [], 'post'],
    ['none', [], 'post'],
    ['attention', [], 'pre'],
    ['ffn', [], 'pre'],
    ['all', ['classifier'], 'pre'],
  ] as const)('sharing %s, heads %j: %s-LN, as the names say', async (sharing, heads, expected) => {
    const directory = join(out, `norms ${sharing} ${heads.join()}`)
    await writeRandomModel(directory, 'zh', { ...SHAPE, sharing, heads, preNorm: true })
    const file = join(directory, 'albert_config.json')
    const { ln_type: _, albertkit: __, ...fields } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    writeFileSync(file, JSON.stringify(fields))
    const { config, notes } = await inspectModel(directory)
    expect(config?.norm_position).toBe(expected)
    expect(notes.join('\n').includes('the configuration has no ln_type')).toBe(expected === 'pre')
    writeFileSync(file, JSON.stringify({ ...fields, ln_type: 'postln' }))
    expect((await inspectModel(directory)).config?.norm_position).toBe('post')
  })
})

describe('labels of another number than the classes', () => {
  const labels = (names: readonly string[]): object => ({ id2label: Object.fromEntries(names.map((n, i) => [i, n])) })
  it.each([
    [labels(['a', 'b']), 'id2label has 2, but the classifier has 3 classes', 'id2label'],
    [labels(['a', 'b', 'c', 'd']), 'id2label has 4, but the classifier has 3 classes', 'id2label'],
    [{ num_labels: 7 }, 'num_labels is 7, but the classifier has 3 classes', 'num_labels'],
    [{ id2label: { 1: 'a', 2: 'b', 3: 'c' } }, 'id2label has 3 labels, but none for class 0', 'id2label'],
  ])('%j', async (changes, message, field) => {
    expect(await withFields('hf albert', changes as Record<string, unknown>)).toMatchObject({
      kind: 'malformed',
      message,
      place: { field },
    })
  })

  it('that are placeholders are left out, with a note', async () => {
    const { directory, file, fields } = copyOf('hf albert')
    writeFileSync(file, JSON.stringify({ ...fields, ...labels(['LABEL_0', 'LABEL_1']) }))
    const { config, notes } = await inspectModel(directory)
    expect(config?.id2label).toBeNull()
    expect(notes.join('\n')).toContain('the classifier has 3 classes')
  })

  it('of the right number are kept', async () => {
    const { directory, file, fields } = copyOf('hf albert')
    writeFileSync(file, JSON.stringify({ ...fields, ...labels(['x', 'y', 'z']) }))
    expect((await inspectModel(directory)).config?.id2label).toEqual({ 0: 'x', 1: 'y', 2: 'z' })
  })
})
