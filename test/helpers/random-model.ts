import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildTfConfig } from '../../src/export/checkpoint/config.js'
import { writeSafetensorsModel } from '../../src/export/checkpoint/safetensors.js'
import { writeTfModel } from '../../src/export/checkpoint/tf.js'
import { buildConfigJson } from '../../src/export/manifest.js'
import type { TensorSource } from '../../src/formats/core/source.js'
import type { Fill } from '../../src/model/tensors/derived.js'
import type { Activation, Family, ModelConfig } from '../../src/model/config.js'
import type { HeadName } from '../../src/model/tasks.js'
import { planRandom } from '../../src/model/random/init.js'
import { truncatedNormal } from '../../src/model/random/random.js'
import type { Translation } from '../../src/model/rewrite/translation.js'
import type { Sharing } from '../../src/model/accounting/slots.js'

/** Models of any family and shape with random values, all different, so that no tensor can be mistaken for another. */

export type Kind = 'zh' | 'google' | 'google_fast' | 'own norms' | 'bert' | 'hf albert' | 'hf bert'
export const KINDS: readonly Kind[] = ['zh', 'google', 'google_fast', 'own norms', 'bert', 'hf albert', 'hf bert']

export interface Shape {
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
  /** hf: the masked-token head has an untied decoder. */
  readonly untied?: boolean
}

/** A small shape of any kind; tests change what they are about. */
export const SMALL: Shape = {
  layers: 2,
  groups: 1,
  inner: 1,
  hidden: 32,
  embedding: 16,
  intermediate: 48,
  sharing: 'all',
  preNorm: false,
  act: 'gelu_tanh',
  heads: ['mlm', 'sop'],
  pooler: true,
}

export const FAMILIES: Readonly<Record<Kind, Family>> = {
  zh: 'zh',
  google: 'google',
  google_fast: 'google_fast',
  'own norms': 'google',
  bert: 'bert',
  'hf albert': 'hf',
  'hf bert': 'hf',
}

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

/** Noise around what training starts from: biases and LayerNorms are no exception, as in a trained model. */
function noiseOf(slot: string, deviation: number): Fill {
  const fill = truncatedNormal(2, slot, deviation)
  if (!slot.endsWith('/gamma')) return fill
  return (start, target) => {
    fill(start, target)
    for (let i = 0; i < target.length; i++) target[i]! += 1
  }
}

/** Values of a tensor instead of the usual noise: `initial` is what training starts from; null leaves the tensor out. */
export type Edit = (slot: string, usual: { readonly noise: Fill; readonly initial: Fill }) => Fill | null

/** Plans such a model as tensors. */
export function planRandomModel(
  kind: Kind,
  shape: Shape,
  deviation = 1,
  edit: Edit = (_, { noise }) => noise,
): Translation {
  const config = configOf(kind, shape)
  const { heads, sharing, untied = false } = shape
  const pooler =
    shape.pooler || heads.some((head) => head === 'classifier' || head === 'sop' || head === 'multiple-choice')
  const plan = planRandom(config, config.family === 'hf' ? 'safetensors' : 'tf', {
    heads,
    pooler,
    untied,
    labels: heads.includes('multiple-choice') ? 1 : 3,
    seed: 1,
    ...(config.family === 'zh' ? { sharing } : {}),
    ...(kind === 'own norms' ? { ownNorms: true } : {}),
  })
  return {
    ...plan,
    tensors: plan.tensors.flatMap((tensor) => {
      const initial = tensor.origin.kind === 'computed' ? tensor.origin.fill : noiseOf(tensor.slot, deviation)
      const fill = edit(tensor.slot, { noise: noiseOf(tensor.slot, deviation), initial })
      return fill === null ? [] : [{ ...tensor, origin: { kind: 'computed' as const, fill } }]
    }),
  }
}

/** Writes such a model into `directory`, which must not exist. */
export async function writeRandomModel(
  directory: string,
  kind: Kind,
  shape: Shape,
  deviation?: number,
  edit?: Edit,
): Promise<void> {
  const noisy = planRandomModel(kind, shape, deviation, edit)
  const config = configOf(kind, shape)
  const { heads, untied = false } = shape
  mkdirSync(directory)
  const task = heads.includes('token-classifier')
    ? 'token-classification'
    : heads.includes('multiple-choice')
      ? 'multiple-choice'
      : undefined
  if (config.family !== 'hf') await writeTfModel(noisy, NOTHING, directory, buildTfConfig(config, {}, task), {})
  else {
    await writeSafetensorsModel(noisy, NOTHING, directory, {})
    writeFileSync(
      join(directory, 'config.json'),
      buildConfigJson(config, null, { untied, ...(task === undefined ? {} : { task }) }),
    )
  }
}
