import { elementCount } from '../../formats/core/source.js'
import type { ModelConfig } from '../config.js'
import type { Slot } from './slots.js'

/**
 * Cost of running a model, from its configuration alone: floating-point operations, memory of activations, and bytes
 * moved. Sharing parameters changes neither operations nor activations.
 */

/** A batch of equally long rows. */
export interface Workload {
  readonly batch: number
  /** Tokens a row. */
  readonly sequence: number
  /** Bytes of one activation or weight: 4 for float32, 2 for float16. */
  readonly elementBytes: number
}

/** Floating-point operations of one forward pass, two a multiply-add of every matrix product. */
export interface Flops {
  /** The projection from the embedding to the hidden size. */
  readonly embeddings: number
  /** Query, key, value and output projections of all layers. */
  readonly projections: number
  /** QKᵀ and the weighted sum of values of all layers: what grows with the square of the sequence. */
  readonly scores: number
  readonly ffn: number
  readonly pooler: number
  /** Heads; masked-token logits over every position. */
  readonly heads: number
  readonly total: number
}

/** Peak of what is alive at once, and what training keeps; bytes. */
export interface Memory {
  /** Weights as stored: a shared block once. */
  readonly weights: number
  /** Largest set of activations alive at once in inference: within one layer. */
  readonly inference: number
  /** Activations kept for the backward pass: every layer's, shared or not. */
  readonly training: number
  /** Float32 weights, gradients and the two moments of Adam or LAMB: 16 bytes a stored parameter. */
  readonly trainingState: number
}

export interface Footprint {
  readonly flops: Flops
  readonly memory: Memory
  /** FLOP per byte of traffic if weights are read from memory at every use, and if a shared block stays in a cache. */
  readonly intensity: { readonly reread: number; readonly cached: number }
}

const isMatrix = ({ shape }: Slot): boolean => shape.length >= 2
/** Elements of the matrices whose slot fits, each use counted. */
const matrices = (slots: readonly Slot[], pattern: RegExp): number =>
  slots.filter((s) => isMatrix(s) && pattern.test(s.slot)).reduce((n, s) => n + elementCount(s.shape) * s.uses, 0)

const blocksOf = ({ num_hidden_layers, inner_group_num }: ModelConfig): number => num_hidden_layers * inner_group_num

/** Operations of one forward pass over every head that `slots` has; agrees with `forwardFlops` of a loaded model. */
export function flopsOf(config: ModelConfig, slots: readonly Slot[], { batch, sequence }: Workload): Flops {
  const tokens = batch * sequence
  const factor = matrices(slots, /^embeddings\/word_embeddings_2$/)
  const embeddings = 2 * tokens * (factor + matrices(slots, /embedding_hidden_mapping_in\//))
  const projections = 2 * tokens * matrices(slots, /^encoder\/.*attention\//)
  const ffn = 2 * tokens * matrices(slots, /^encoder\/.*ffn\//)
  const scores = 2 * tokens * blocksOf(config) * 2 * sequence * config.hidden_size
  const pooler = 2 * batch * matrices(slots, /^pooler\//)
  const untied = slots.some((s) => s.slot === 'mlm/decoder')
  // The decoder of the masked-token head is the word table (and in zh its factor) used the other way round.
  const decoder = slots.some((s) => s.slot.startsWith('mlm/'))
    ? matrices(slots, /^mlm\//) + factor + (untied ? 0 : matrices(slots, /^embeddings\/word_embeddings$/))
    : 0
  const others = (tokenwise: boolean): number =>
    matrices(
      slots.filter((s) => s.tokenwise === tokenwise),
      /^(sop|classifier|qa)\//,
    )
  const heads = 2 * (tokens * (decoder + others(true)) + batch * others(false))
  return {
    embeddings,
    projections,
    scores,
    ffn,
    pooler,
    heads,
    total: embeddings + projections + scores + ffn + pooler + heads,
  }
}

/**
 * Activations of one layer that its backward pass needs, as Korthikanti et al. 2022 (arXiv 2205.05198, section 4.1)
 * count them, with dropout: elements of `elementBytes`, and bytes of masks. At two bytes an element and I = 4H this is
 * their s·b·h·(34 + 5·a·s/h).
 */
export function layerActivations(
  config: Pick<ModelConfig, 'hidden_size' | 'intermediate_size' | 'num_attention_heads'>,
  { batch, sequence, elementBytes }: Workload,
): number {
  const { hidden_size: H, intermediate_size: I, num_attention_heads: N } = config
  const tokens = batch * sequence
  const linear = tokens * ((8 * H + 2 * I) * elementBytes + 2 * H)
  const quadratic = N * sequence * tokens * (2 * elementBytes + 1)
  return linear + quadratic
}

/** Values that one layer writes: what inference moves through memory, in elements. */
const layerTraffic = ({ hidden_size: H, intermediate_size: I, num_attention_heads: N }: ModelConfig, w: Workload) =>
  w.batch * w.sequence * (8 * H + 2 * I + 2 * N * w.sequence)

/** The widest moment of a layer: x, q, k, v, scores and probabilities, or x and both sides of the activation. */
function layerPeak({ hidden_size: H, intermediate_size: I, num_attention_heads: N }: ModelConfig, w: Workload): number {
  const tokens = w.batch * w.sequence
  return tokens * w.elementBytes * Math.max(4 * H + 2 * N * w.sequence, H + 2 * I)
}

/** All of it. */
export function footprintOf(config: ModelConfig, slots: readonly Slot[], work: Workload): Footprint {
  const { batch, sequence, elementBytes } = work
  const tokens = batch * sequence
  const { embedding_size: E, hidden_size: H, vocab_size: V } = config
  const blocks = blocksOf(config)
  const hasMlm = slots.some((s) => s.slot.startsWith('mlm/'))
  const size = (s: Slot): number => elementCount(s.shape)
  const stored = slots.reduce((n, s) => n + size(s), 0)
  const logits = hasMlm ? tokens * (H + V) * elementBytes : 0
  const flops = flopsOf(config, slots, work)
  // A lookup reads its rows, not the whole table; everything else is read at each use.
  const isTable = (s: Slot): boolean => /^embeddings\/(word|position|token_type)_embeddings$/.test(s.slot)
  const lookedUp = tokens * 3 * E
  const decoder = hasMlm ? V * E : 0
  const read = (times: (s: Slot) => number): number =>
    (slots.reduce((n, s) => n + (isTable(s) ? 0 : size(s) * times(s)), lookedUp) + decoder) * elementBytes
  const moved = 2 * elementBytes * (blocks * layerTraffic(config, work) + tokens * (E + H) + (hasMlm ? tokens * V : 0))
  return {
    flops,
    memory: {
      weights: stored * elementBytes,
      inference: Math.max(layerPeak(config, work), logits),
      training: blocks * layerActivations(config, work) + tokens * (2 * E * elementBytes + E) + logits,
      trainingState: 16 * stored,
    },
    intensity: { reread: flops.total / (read((s) => s.uses) + moved), cached: flops.total / (read(() => 1) + moved) },
  }
}
