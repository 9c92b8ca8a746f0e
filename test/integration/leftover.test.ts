import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { inspectModel } from '../../src/api/inspect/inspect.js'
import { openModel } from '../../src/api/open/open.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import type { TensorPlan } from '../../src/formats/safetensors/write.js'
import { KINDS, writeRandomModel, type Kind, type Shape } from '../helpers/random-model.js'
import { writeSafetensorsFile } from '../helpers/write-files.js'

/** An unknown variable within the encoder is refused by every command, one outside it noted by every command. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-leftover-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => mkdtempSync(join(folder, `${made++}-`))

const SHAPE: Shape = {
  layers: 2,
  groups: 1,
  inner: 1,
  hidden: 16,
  embedding: 16,
  intermediate: 32,
  sharing: 'all',
  preNorm: false,
  act: 'gelu_tanh',
  heads: [],
  pooler: true,
}

/** The files of a model of each kind, and what stands before the names of its encoder. */
async function plain(kind: Kind): Promise<{ directory: string; prefix: string; separator: string; names: string[] }> {
  const directory = join(fresh(), 'model')
  await writeRandomModel(directory, kind, SHAPE, 0.2)
  const opened = await openModel(directory)
  const names = [...opened.source.tensors.keys()]
  const body = [...opened.identification.mapped.values()].find(({ row }) => row.prefixed)
  opened.close()
  return { directory, prefix: body?.prefix ?? '', separator: kind.startsWith('hf') ? '.' : '/', names }
}

/** A copy of a model with more variables, `[16, 3]` of ones unless said. */
async function withVariables(directory: string, more: readonly TensorPlan[]): Promise<string> {
  const target = fresh()
  const source = await openSource(directory)
  const own = [...source.tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape }))
  writeSafetensorsFile(join(target, 'model.safetensors'), [...own, ...more], ({ name, shape }, sink) => {
    sink(
      source.tensors.has(name)
        ? readAll(source, name)
        : new Uint8Array(new Float32Array(shape.reduce((n, d) => n * d, 1)).fill(1).buffer),
    )
  })
  source.close()
  for (const name of readdirSync(directory))
    if (/\.(json|txt)$/.test(name)) copyFileSync(join(directory, name), join(target, name))
  return target
}

const variable = (name: string, shape: readonly number[] = [16, 3]): TensorPlan => ({ name, dtype: 'F32', shape })

/** Names that some code has given to what it added to an encoder. */
const ADDED = [
  'adapters/weights1', 'attention/output/adapters/news/adapter_down/0/weight', 'houlsby_down/kernel', 'lora_A/weight',
  'attention/self/query/lora_B/default/weight', 'task_type_embeddings', 'relative_attention_bias', 'extra_projection/kernel',
  'gate', 'layer_norm_2/gamma', 'conv/kernel', 'unheard_of', 'distance_embedding/weight', 'prefix/key', 'crf',
] // prettier-ignore
const word = fc.stringMatching(/^[a-z]{3,9}(_[a-z]{2,5})?$/)

describe.each(KINDS)('%s', (kind) => {
  it('refuses one more variable in the encoder or the embeddings, with any name', async () => {
    const { directory, prefix, separator, names } = await plain(kind)
    const scopes = names
      .filter((name) => name.startsWith(prefix) && /encoder|embeddings/.test(name))
      .map((name) => name.slice(0, name.lastIndexOf(separator)))
    const added = fc.oneof(
      fc.constantFrom(...ADDED),
      fc.array(word, { minLength: 1, maxLength: 3 }).map((w) => w.join('/')),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...new Set(scopes)), added, async (scope, tail) => {
        const name = `${scope}${separator}${tail.replaceAll('/', separator)}`
        fc.pre(!names.includes(name))
        const changed = await withVariables(directory, [variable(name)])
        await expect(openModel(changed)).rejects.toMatchObject({ kind: 'unsupported', code: 'tensor-unknown' })
        await expect(openModel(changed)).rejects.toThrow(name)
        const report = await inspectModel(changed)
        expect(report.ok).toBe(true)
        expect(report.unknown).toContain(name)
        expect(report.notes.join()).toContain(name)
        const passed = await openModel(changed, { ignore: [name] })
        passed.close()
      }),
      { numRuns: 12 },
    )
  })

  it('notes one more variable outside the encoder', async () => {
    const { directory, prefix, separator, names } = await plain(kind)
    // Without a prefix, any variable outside the encoder might belong to it.
    const top = word.filter((one) => prefix === '' || `${one}${separator}` !== prefix)
    await fc.assert(
      fc.asyncProperty(top, fc.constantFrom('weight', 'transitions', 'W', 'cell/kernel'), async (scope, tail) => {
        const name = `head_${scope}${separator}${tail.replaceAll('/', separator)}`
        fc.pre(!names.includes(name))
        const opened = await openModel(await withVariables(directory, [variable(name)]))
        opened.close()
        expect(opened.leftOut.join()).toContain(name)
        expect(opened.notes.join()).toContain(name)
      }),
      { numRuns: 8 },
    )
  })
})

describe('a variable beside each weight', () => {
  it('is state of an optimizer or an average, whatever it is called; beside some of them it is refused', async () => {
    const { directory, prefix, names } = await plain('bert')
    const source = await openSource(directory)
    const body = names.filter((name) => name.startsWith(prefix))
    const beside = (suffix: string, own = body): TensorPlan[] =>
      own.map((name) => variable(`${name}/${suffix}`, source.tensors.get(name)!.shape))
    const all = await openModel(await withVariables(directory, [...beside('LazyAdam'), ...beside('swa')]))
    all.close()
    expect(all.notes.join()).toContain('not read: */LazyAdam, */swa, which each weight has beside it')
    expect(all.identification.unknown).toEqual([])
    for (const more of [beside('delta', body.slice(1)), body.map((name) => variable(`${name}/delta`, [2, 2]))])
      await expect(openModel(await withVariables(directory, more))).rejects.toMatchObject({ code: 'tensor-unknown' })
    source.close()
  })
})

describe('a dense layer outside the encoder', () => {
  it('is the classifier with `head`, in either order of its kernel', async () => {
    const { directory } = await plain('bert')
    for (const [kernel, bias, shape] of [
      ['fc/weight', 'fc/bias', [3, 16]],
      ['fc/W', 'fc/b', [16, 3]],
    ] as const) {
      const changed = await withVariables(directory, [variable(kernel, shape), variable(bias, [3])])
      const told = await openModel(changed)
      told.close()
      expect(told.leftOut.join()).toMatch(/fc\/.*`head` fc/)
      expect(told.model.classifier).toBeNull()
      const taken = await openModel(changed, { head: 'fc' })
      taken.close()
      expect(taken.model.classifier?.weight.shape).toEqual([3, 16])
      expect(taken.leftOut).toEqual([])
    }
    const wide = await withVariables(directory, [variable('fc/kernel', [24, 3]), variable('fc/bias', [3])])
    await expect(openModel(wide, { head: 'fc' })).rejects.toMatchObject({
      kind: 'unsupported',
      place: { tensor: 'fc/kernel' },
    })
    await expect(openModel(wide, { head: 'gone' })).rejects.toMatchObject({ kind: 'usage', code: 'name-unknown' })
  })
})

describe('what is ignored', () => {
  it('is recorded in the manifest', async () => {
    const { directory } = await plain('bert')
    const changed = await withVariables(directory, [variable('bert/encoder/layer_0/adapter/kernel')])
    const out = join(fresh(), 'out')
    await convertModel(changed, out, { targets: ['onnx'], verify: false, ignore: ['*adapter*'] })
    const manifest = JSON.parse(readFileSync(join(out, 'albertkit.json'), 'utf8')) as {
      artefacts: Record<string, { source: { read?: object } }>
    }
    expect(Object.values(manifest.artefacts).map(({ source }) => source.read)).toEqual([{ ignore: ['*adapter*'] }])
  })
})

describe('names of nodes', () => {
  it.each(KINDS)('are such as TensorFlow takes: %s', async (kind) => {
    const directory = join(fresh(), 'model')
    await writeRandomModel(directory, kind, { ...SHAPE, heads: ['mlm', 'sop'] }, 0.2)
    const out = join(fresh(), 'out')
    await convertModel(directory, out, { targets: ['tfjs'], verify: false, allOutputs: true })
    const { modelTopology } = JSON.parse(readFileSync(join(out, 'tfjs/model.json'), 'utf8')) as {
      modelTopology: { node: { name: string }[] }
    }
    expect(modelTopology.node.length).toBeGreaterThan(50)
    const refused = modelTopology.node.filter(({ name }) => !/^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$/.test(name))
    expect(refused).toEqual([])
  })
})

describe('a LoRA adapter next to its base', () => {
  it('adds B·A to a kernel `[out, in]`, for any `fan_in_fan_out`: PEFT ignores it for torch.nn.Linear', async () => {
    const { directory } = await plain('hf bert')
    const target = await withVariables(directory, [])
    const module = 'bert.encoder.layer.0.attention.self.query'
    const one = { 'lora_A.weight': 5, 'lora_B.weight': 3 * 2 }
    const adapter = [
      variable(`base_model.model.${module}.lora_A.weight`, [2, 16]),
      variable(`base_model.model.${module}.lora_B.weight`, [16, 2]),
    ]
    writeSafetensorsFile(join(target, 'adapter_model.safetensors'), adapter, ({ name }, sink) => {
      const at = Object.entries(one).find(([end]) => name.endsWith(end))![1]
      sink(new Uint8Array(Float32Array.from({ length: 32 }, (_, i) => (i === at ? 1 : 0)).buffer))
    })
    const fields = { peft_type: 'LORA', r: 2, lora_alpha: 8, fan_in_fan_out: true }
    writeFileSync(join(target, 'adapter_config.json'), JSON.stringify(fields))
    const [merged, base] = [
      await openModel(target, { mergeLora: true }),
      await openModel(target, { ignore: ['adapter_config.json'] }),
    ]
    const name = [...merged.source.tensors.keys()].find((own) => own.endsWith('layer.0.attention.self.query.weight'))!
    const [a, b] = [merged, base].map(({ source }) => new Float32Array(readAll(source, name).buffer))
    merged.close()
    base.close()
    const changed = [...a!].flatMap((x, i) => (x === b![i] ? [] : [[i, Math.round(x - b![i]!)]]))
    expect(changed).toEqual([[3 * 16 + 5, 4]])
  })

  it('is refused without being asked for, and merged when it is', async () => {
    const { directory } = await plain('hf bert')
    const target = await withVariables(directory, [])
    const module = 'bert.encoder.layer.0.attention.self.query'
    const adapter = [
      variable(`base_model.model.${module}.lora_A.weight`, [2, 16]),
      variable(`base_model.model.${module}.lora_B.weight`, [16, 2]),
    ]
    writeSafetensorsFile(join(target, 'adapter_model.safetensors'), adapter, ({ shape }, sink) => {
      sink(new Uint8Array(new Float32Array(shape[0]! * shape[1]!).fill(0.5).buffer))
    })
    const config = { peft_type: 'LORA', r: 2, lora_alpha: 8 }
    const write = (more: object): void => {
      writeFileSync(join(target, 'adapter_config.json'), JSON.stringify({ ...config, ...more }))
    }
    write({})
    await expect(openModel(target)).rejects.toMatchObject({ kind: 'unsupported' })
    const before = await openModel(target, { ignore: ['adapter_config.json'] })
    const values = async (more: object): Promise<number> => {
      write(more)
      const merged = await openModel(target, { mergeLora: true })
      const name = [...merged.source.tensors.keys()].find((one) => one.endsWith('layer.0.attention.self.query.weight'))!
      const [own, base] = [merged.source, before.source].map((source) => new Float32Array(readAll(source, name).buffer))
      merged.close()
      return own![17]! - base![17]!
    }
    // Two products of 0.5 · 0.5, times the scale.
    expect(await values({})).toBeCloseTo(4 * 0.5, 5)
    expect(await values({ use_rslora: true })).toBeCloseTo((8 / Math.SQRT2) * 0.5, 5)
    expect(await values({ alpha_pattern: { query: 2 } })).toBeCloseTo(0.5, 5)
    before.close()
    write({ use_dora: true })
    await expect(openModel(target, { mergeLora: true })).rejects.toThrow('use_dora')
    write({ layer_replication: [[0, 2]] })
    await expect(openModel(target, { mergeLora: true })).rejects.toThrow('layer_replication')
    write({ of_a_later_version: { a: 1 } })
    await expect(openModel(target, { mergeLora: true })).rejects.toThrow('of_a_later_version')
    write({ of_a_later_version: null, loftq_config: {}, unsloth_fixed: true })
    ;(await openModel(target, { mergeLora: true })).close()
    write({ peft_type: 'IA3' })
    await expect(openModel(target, { mergeLora: true })).rejects.toThrow('peft_type')
  })
})
