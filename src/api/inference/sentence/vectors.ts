import type { ActivationName } from './activations.js'

/** Steps from a text to one vector, as plain data that can be sent to worker threads. */

/** Ways to pool the hidden states of a text, as sentence-transformers names them. */
export const POOLING_MODES = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const
export type PoolingMode = (typeof POOLING_MODES)[number]

/** Ways to get one vector for a text: pooling of its hidden states, or the output of the pooler. */
export const POOLINGS = [...POOLING_MODES, 'pooled'] as const
export type Pooling = (typeof POOLINGS)[number]

/** `y = activation(W·x + b)` */
export interface DenseModule {
  readonly kind: 'dense'
  readonly inputs: number
  readonly outputs: number
  /** `[outputs, inputs]`, as PyTorch stores it. */
  readonly weight: Float32Array
  readonly bias: Float32Array | null
  readonly activation: ActivationName
}

/** LayerNorm of PyTorch, with its default epsilon. */
export interface LayerNormModule {
  readonly kind: 'layer-norm'
  readonly weight: Float32Array
  readonly bias: Float32Array
}

/** L2 norm 1. */
export interface NormalizeModule {
  readonly kind: 'normalize'
}

export type SentenceModule = DenseModule | LayerNormModule | NormalizeModule

/** Pooling of the last hidden state and the modules after it. */
export interface SentenceModules {
  /** Pooled vectors that are concatenated, in order. */
  readonly modes: readonly PoolingMode[]
  /** False if the tokens of the prompt are left out of the pooling. */
  readonly includePrompt: boolean
  readonly modules: readonly SentenceModule[]
  /** Number of elements that are kept; null for all. */
  readonly truncate: number | null
}

/** Changes to a text before it is tokenized. */
export interface Preparation {
  /** Put before the text. */
  readonly prompt: string
  /** Tokens of the prompt, leading special tokens included. */
  readonly promptTokens: number
  readonly lowerCase: boolean
}

export const NO_PREPARATION: Preparation = { prompt: '', promptTokens: 0, lowerCase: false }

/** All that makes vectors of texts. */
export interface VectorPlan {
  /** Null if the vector is an output of the model as it is. */
  readonly sentence: SentenceModules | null
  readonly preparation: Preparation
  /** Limit of tokens that the folder of the model states; undefined if it does not. */
  readonly maxLength: number | undefined
  /** The steps in words, in order. */
  readonly steps: readonly string[]
  /** Files that the plan was read from. */
  readonly files: readonly string[]
}

/** Lower case, character by character as the `Lowercase` normalizer of the tokenizers library does it. */
const lower = (text: string): string => Array.from(text, (char) => char.toLowerCase()).join('')

/** A text, or the first of a pair, as it is tokenized. */
export const prepared = (text: string, { prompt, lowerCase }: Preparation): string =>
  lowerCase ? lower(prompt + text) : prompt + text
