import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert.js'
import { openModel } from '../../src/api/open.js'
import { AlbertkitError } from '../../src/errors.js'
import { buildTfConfig } from '../../src/export/files/config.js'
import { writeSafetensorsModel } from '../../src/export/files/safetensors.js'
import { writeTfModel } from '../../src/export/files/tf.js'
import { TARGETS, type Target } from '../../src/export/index.js'
import { buildConfigJson } from '../../src/export/manifest.js'
import type { TensorSource } from '../../src/formats/source.js'
import type { Activation, Family, ModelConfig } from '../../src/model/config.js'
import type { HeadName } from '../../src/model/outputs.js'
import { planRandom } from '../../src/model/plan-random.js'
import { truncatedNormal } from '../../src/model/random.js'
import type { Sharing } from '../../src/model/slots.js'
import { parametersOf, readMeant } from '../../src/model/weights.js'

/** Source → target → source, for models of any family and shape: the same slots with the same bits, or a refusal. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-round-trip-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => join(folder, String(made++))

type Kind = 'zh' | 'google' | 'google_fast' | 'own norms' | 'bert' | 'hf albert' | 'hf bert'
const KINDS: readonly Kind[] = ['zh', 'google', 'google_fast', 'own norms', 'bert', 'hf albert', 'hf bert']

interface Shape {
  readonly layers: number
  readonly groups: number
  readonly inner: number
  readonly hidden: number
  readonly embedding: number
  readonly intermediate: number
  readonly sharing: Sharing
  readonly preNorm: boolean
  readonly act: Activation
  readonly heads: readonly HeadName[]
  readonly pooler: boolean
}

const shapes: fc.Arbitrary<Shape> = fc.record({
  layers: fc.integer({ min: 1, max: 4 }),
  groups: fc.integer({ min: 1, max: 3 }),
  inner: fc.integer({ min: 1, max: 2 }),
  hidden: fc.constantFrom(16, 32),
  embedding: fc.constantFrom(6, 16, 32),
  intermediate: fc.constantFrom(16, 48),
  sharing: fc.constantFrom('all', 'attention', 'ffn', 'none'),
  preNorm: fc.boolean(),
  act: fc.constantFrom('gelu_tanh', 'relu', 'gelu_erf'),
  heads: fc.constantFrom([], ['mlm', 'sop'], ['mlm'], ['classifier'], ['token-classifier'], ['qa']),
  pooler: fc.boolean(),
})

const FAMILIES: Readonly<Record<Kind, Family>> = {
  zh: 'zh', google: 'google', google_fast: 'google_fast', 'own norms': 'google', bert: 'bert', 'hf albert': 'hf', 'hf bert': 'hf',
} // prettier-ignore

function configOf(kind: Kind, shape: Shape): ModelConfig {
  const family = FAMILIES[kind]
  const bert = kind === 'bert' || kind === 'hf bert'
  const grouped = !bert && family !== 'zh'
  return {
    family,
    architecture: bert ? 'bert' : 'albert',
    vocab_size: 37,
    embedding_size: bert ? shape.hidden : shape.embedding,
    hidden_size: shape.hidden,
    num_hidden_layers: shape.layers,
    num_attention_heads: 4,
    intermediate_size: shape.intermediate,
    max_position_embeddings: 9,
    type_vocab_size: 2,
    num_hidden_groups: grouped ? Math.min(shape.groups, shape.layers) : 1,
    inner_group_num: grouped ? shape.inner : 1,
    layer_norm_eps: 1e-12,
    hidden_act: shape.act === 'gelu_erf' && family !== 'hf' ? 'gelu_tanh' : shape.act,
    norm_position: family === 'zh' && shape.preNorm ? 'pre' : 'post',
    mask_penalty: -10000,
    id2label: null,
    file: 'config.json',
  }
}

const NOTHING = { files: [], notes: [], tensors: new Map() } as unknown as TensorSource

/** Writes a model of that kind whose every value is noise of its own, so that nothing can be taken for another. */
async function write(kind: Kind, shape: Shape): Promise<string> {
  const config = configOf(kind, shape)
  const target = config.family === 'hf' ? 'safetensors' : 'tf'
  const { heads, sharing } = shape
  const pooler = shape.pooler || heads.includes('classifier') || heads.includes('sop')
  const plan = planRandom(config, target, { heads, pooler, labels: 3, seed: 1, ...(config.family === 'zh' ? { sharing } : {}), ...(kind === 'own norms' ? { ownNorms: true } : {}) }) // prettier-ignore
  const noisy = {
    ...plan,
    tensors: plan.tensors.map((t) => ({ ...t, origin: { kind: 'computed' as const, fill: truncatedNormal(2, t.slot, 1) } })), // prettier-ignore
  }
  const directory = fresh()
  mkdirSync(directory)
  const task = heads.includes('token-classifier') ? 'token-classification' : undefined
  if (target === 'tf') await writeTfModel(noisy, NOTHING, directory, buildTfConfig(config, {}, task), {})
  else {
    await writeSafetensorsModel(noisy, NOTHING, directory, {})
    writeFileSync(join(directory, 'config.json'), buildConfigJson(config, null, task === undefined ? {} : { task }))
  }
  return directory
}

async function weightsOf(path: string): Promise<Map<string, Float32Array>> {
  const opened = await openModel(path)
  try {
    return new Map([...parametersOf(opened.model)].map((p) => [p.slot, readMeant(opened.source, p)]))
  } finally {
    opened.close()
  }
}

/** Converts without a check, and gives null where there is no such model: that alone is a reason not to. */
async function convert(source: string, target: Target): Promise<string | null> {
  const out = fresh()
  try {
    await convertModel(source, out, { targets: [target], verify: false })
  } catch (error) {
    if (error instanceof AlbertkitError && error.exitCode === 4) return null
    throw error
  }
  return target === 'tf' ? join(out, 'tf') : out
}

const bits = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

/** How many models of each kind are refused as each target; what is never taken would pass unseen. */
const taken = new Map<string, number>()

describe.each(KINDS)('a model of %s', (kind) => {
  it('is the same after every way there and back', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const source = await write(kind, shape)
        const original = await weightsOf(source)
        for (const target of TARGETS) {
          const there = await convert(source, target)
          if (there === null) continue
          taken.set(`${kind} ${target}`, (taken.get(`${kind} ${target}`) ?? 0) + 1)
          const converted = await weightsOf(there)
          const graph = target === 'onnx' || target === 'tfjs'
          for (const [slot, values] of original) {
            const other = converted.get(slot)
            // A graph holds what its task uses.
            if (other === undefined) expect([slot, graph]).toEqual([slot, true])
            else expect(bits(other).equals(bits(values)), `${target} ${slot}`).toBe(true)
          }
          const back = await convert(there, FAMILIES[kind] === 'hf' ? 'safetensors' : 'tf')
          if (back === null) expect([kind, target]).toEqual([kind, 'not refused'])
          else if (!graph) {
            const again = await weightsOf(back)
            // transformers has no model without a mapping; TensorFlow's code none with one that does nothing.
            expect([...again.keys()].sort()).toEqual([...original.keys()].sort())
            for (const [slot, values] of original) expect(bits(again.get(slot)!).equals(bits(values)), slot).toBe(true)
          }
        }
        rmSync(folder, { recursive: true })
        mkdirSync(folder)
      }),
      { numRuns: 12, seed: 20 },
    )
  }, 60_000)
})

it('every pair of kind and target that has a way was taken', () => {
  const none = KINDS.flatMap((kind) => TARGETS.map((target) => `${kind} ${target}`)).filter((pair) => !taken.has(pair))
  expect(none).toEqual(['zh safetensors', 'google_fast safetensors', 'own norms safetensors'])
})
