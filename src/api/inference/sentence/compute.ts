import type { Features } from '../../../text/data/features.js'
import { ACTIVATIONS } from './activations.js'
import type { DenseModule, LayerNormModule, PoolingMode, SentenceModule, SentenceModules } from './vectors.js'

/** The modules of sentence-transformers after the transformer, in float64. */

/** Hidden states of a text, `[tokens, width]`, and the tokens that count. */
interface Hidden {
  readonly values: ArrayLike<number>
  readonly width: number
  readonly counts: readonly boolean[]
}

type Vector = Float64Array

/** Sum of the tokens that count, each times its weight. */
function weightedSum({ values, width, counts }: Hidden, weightOf: (token: number) => number): [Vector, number] {
  const sum = new Float64Array(width)
  let weights = 0
  counts.forEach((isCounted, token) => {
    if (!isCounted) return
    const weight = weightOf(token)
    weights += weight
    for (let i = 0, at = token * width; i < width; i++, at++) sum[i]! += weight * values[at]!
  })
  return [sum, weights]
}

const tokenAt = ({ values, width }: Hidden, token: number): Vector =>
  Float64Array.from({ length: width }, (_, i) => values[token * width + i]!)

/** PyTorch clamps the divisor, so that a text whose tokens are all left out gives zeros. */
const LEAST = 1e-9

function meanOf(hidden: Hidden, weightOf: (token: number) => number, divisor = (weights: number) => weights): Vector {
  const [sum, weights] = weightedSum(hidden, weightOf)
  const by = divisor(Math.max(weights, LEAST))
  return sum.map((x) => x / by)
}

const POOLS: Readonly<Record<PoolingMode, (hidden: Hidden) => Vector>> = {
  cls: (hidden) => tokenAt(hidden, Math.max(0, hidden.counts.indexOf(true))),
  max: (hidden) => {
    const most = new Float64Array(hidden.width).fill(-Infinity)
    hidden.counts.forEach((isCounted, token) => {
      if (isCounted) for (let i = 0; i < hidden.width; i++) most[i] = Math.max(most[i]!, tokenValue(hidden, token, i))
    })
    return most
  },
  mean: (hidden) => meanOf(hidden, () => 1),
  mean_sqrt_len_tokens: (hidden) => meanOf(hidden, () => 1, Math.sqrt),
  weightedmean: (hidden) => meanOf(hidden, (token) => token + 1),
  lasttoken: (hidden) => {
    const last = hidden.counts.lastIndexOf(true)
    return last === -1 ? new Float64Array(hidden.width) : tokenAt(hidden, last)
  },
}

const tokenValue = ({ values, width }: Hidden, token: number, i: number): number => values[token * width + i]!

function dense(x: Vector, { outputs, weight, bias, activation }: DenseModule): Vector {
  const activate: (x: number) => number = ACTIVATIONS[activation]
  return Float64Array.from({ length: outputs }, (_, row) => {
    let sum = bias?.[row] ?? 0
    for (let i = 0, at = row * x.length; i < x.length; i++, at++) sum += weight[at]! * x[i]!
    return activate(sum)
  })
}

/** Epsilon of `torch.nn.LayerNorm`. */
const LAYER_NORM_EPSILON = 1e-5

function layerNorm(x: Vector, { weight, bias }: LayerNormModule): Vector {
  const mean = x.reduce((sum, one) => sum + one, 0) / x.length
  const variance = x.reduce((sum, one) => sum + (one - mean) ** 2, 0) / x.length
  const by = Math.sqrt(variance + LAYER_NORM_EPSILON)
  return x.map((one, i) => ((one - mean) / by) * weight[i]! + bias[i]!)
}

/** Epsilon of `torch.nn.functional.normalize`. */
const NORM_EPSILON = 1e-12

function normalize(x: Vector): Vector {
  const norm = Math.max(Math.sqrt(x.reduce((sum, one) => sum + one * one, 0)), NORM_EPSILON)
  return x.map((one) => one / norm)
}

function apply(x: Vector, module: SentenceModule): Vector {
  switch (module.kind) {
    case 'dense':
      return dense(x, module)
    case 'layer-norm':
      return layerNorm(x, module)
    case 'normalize':
      return normalize(x)
  }
}

/**
 * Vector of a text: its hidden states pooled, then the modules (sentence-transformers, `Pooling` and later).
 * @param values last hidden state, `[sequence, width]`; rows after those of the features are padding
 * @param promptTokens tokens at the start that belong to the prompt
 */
export function sentenceVector(
  { modes, includePrompt, modules, truncate }: SentenceModules,
  { input_ids, attention_mask }: Features,
  values: ArrayLike<number>,
  width: number,
  promptTokens: number,
): Float32Array {
  const first = includePrompt ? 0 : promptTokens
  const counts = input_ids.map((_, token) => token >= first && attention_mask?.[token] !== 0)
  const pooled = modes.flatMap((mode) => [...POOLS[mode]({ values, width, counts })])
  const vector = modules.reduce(apply, Float64Array.from(pooled))
  return Float32Array.from(truncate === null ? vector : vector.subarray(0, truncate))
}
