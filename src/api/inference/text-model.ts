import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import type { Batch } from '../../text/data/batches.js'
import type { NamedTensor } from '../../runtime/runner.js'
import type { OpenModelOptions } from '../open/open.js'
import type { TextPool } from './window.js'

export interface TextModelOptions extends OpenModelOptions {
  /** Vocabulary instead of the one beside the model. */
  readonly vocabulary?: string
  readonly lowerCase?: boolean
  /** `onnxruntime`, `onnxruntime-web` or `tfjs-wasm`; the fastest that is there if left out. */
  readonly runner?: string
  /** Names of the classes, in the order of the model's outputs. */
  readonly labels?: readonly string[]
  /**
   * Tokens of an input at most, and never more than the model has positions; default as the tokenizer's configuration
   * says (`model_max_length`), else 128.
   */
  readonly maxSeqLength?: number
  /** Compute `sha256`, which reads all weights once more. */
  readonly hash?: boolean
  /** Told what the file or its folder has and the model leaves out. */
  readonly onNote?: (note: string) => void
}

/** A model with its tokenizer, ready to read text. */
export interface TextModel extends AsyncDisposable {
  readonly tokenizer: Tokenizer
  /** Names of the classes, or null where none are known. */
  readonly labels: readonly string[] | null
  readonly maxLength: number
  readonly limits: InputLimits
  /** The runtime that runs it, and what of. */
  readonly runner: string
  readonly detail: string
  /** Whether that is the fastest runtime there is, or the one that was asked for. */
  readonly fastest: boolean
  /** `global_step` of a checkpoint, or null. */
  readonly globalStep: number | null
  /** With `hash`: SHA-256 over everything that the answers depend on, weights, configuration, vocabulary; else empty. */
  readonly sha256: string
  /** What the file or its folder has and the model leaves out. */
  readonly leftOut: readonly string[]
  run(batch: Batch, output: string): Promise<NamedTensor>
  /** Threads that read with this model until it is closed. @param threads how many; what the machine takes if left out */
  pool(threads?: number): TextPool
  close(): Promise<void>
}

/** Sizes that the inputs of a model must stay below: token ids, token types, and positions. */
export interface InputLimits {
  readonly vocabulary: number
  readonly segments: number
  readonly positions: number
}

/** Ways to make one vector of a text: mean over its tokens, or output of the pooler. */
export const POOLINGS = ['mean', 'pooled'] as const
export type Pooling = (typeof POOLINGS)[number]
