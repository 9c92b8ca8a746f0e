import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, LayerNorm } from '../albert.js'
import { readLogical } from '../tensors/read.js'

/** Row of the classifier for one class. */
export interface ClassHealth {
  readonly index: number
  /** Euclidean norm of its weights. */
  readonly norm: number
  readonly bias: number
  /** Class whose logit exceeds this one's (or is equal and comes first) for every input; null if there is none. */
  readonly beatenBy: number | null
}

/** Bound on the inputs of a classifier: `γ·x̂ + β` with `‖x̂‖₂ ≤ √H`, or each element between −1 and 1. */
type Inputs = { readonly kind: 'tanh' } | { readonly kind: 'norm'; readonly norm: LayerNorm } | { readonly kind: 'any' }

function inputsOf({ classifier, layers, config }: AlbertModel): Inputs {
  if (classifier?.norm != null) return { kind: 'norm', norm: classifier.norm }
  if (classifier?.kind !== 'token') return { kind: 'tanh' }
  const last = layers[layers.length - 1]?.at(-1)
  if (config.norm_position === 'pre' || last === undefined) return { kind: 'any' }
  return { kind: 'norm', norm: last.outputNorm }
}

/**
 * Classes that can never have the largest logit. Pooled vectors are outputs of tanh, so class j is above class i for
 * every input if `b_j − b_i > ‖w_j − w_i‖₁`; behind a LayerNorm the bound is `√H·‖γ∘(w_j − w_i)‖₂`. Of two equal
 * classes the first one wins. Choices have one logit and are not examined.
 */
export function classHealth(source: TensorSource, model: AlbertModel): ClassHealth[] {
  const { classifier } = model
  if (classifier === null || classifier.kind === 'choice') return []
  const [n = 0, width = 0] = classifier.weight.shape
  const weights = readLogical(source, classifier.weight)
  const biases = readLogical(source, classifier.bias)
  const inputs = inputsOf(model)
  const gamma = inputs.kind === 'norm' ? readLogical(source, inputs.norm.gamma) : null
  const beta = inputs.kind === 'norm' ? readLogical(source, inputs.norm.beta) : null
  /** Least that class j can be above class i. */
  const margin = (j: number, i: number): number => {
    let [offset, spread] = [biases[j]! - biases[i]!, 0]
    for (let k = 0; k < width; k++) {
      const d = weights[j * width + k]! - weights[i * width + k]!
      offset += d * (beta?.[k] ?? 0)
      spread += gamma === null ? Math.abs(d) : (d * gamma[k]!) ** 2
    }
    if (inputs.kind === 'any') return spread === 0 ? offset : -Infinity
    return offset - (gamma === null ? spread : Math.sqrt(width * spread))
  }
  return Array.from({ length: n }, (_, index) => {
    let norm = 0
    for (let k = 0; k < width; k++) norm += weights[index * width + k]! ** 2
    let beatenBy: number | null = null
    for (let j = 0; j < n && beatenBy === null; j++) {
      if (j === index) continue
      const least = margin(j, index)
      if (least > 0 || (least === 0 && j < index && margin(index, j) === 0)) beatenBy = j
    }
    return { index, norm: Math.sqrt(norm), bias: biases[index]!, beatenBy }
  })
}
