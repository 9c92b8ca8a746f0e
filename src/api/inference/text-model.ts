import type { ProblemType } from '../../model/problem-type.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import type { Batch } from '../../text/data/batches.js'
import type { ResolvedTask } from '../../model/tasks.js'
import type { NamedTensor } from '../../runtime/runner.js'
import type { OpenModelOptions } from '../open/open.js'
import type { VectorOptions } from './sentence/read-vectors.js'
import type { VectorPlan } from './sentence/vectors.js'
import type { TextPool } from './window.js'

export interface TextModelOptions extends OpenModelOptions {
  /** Path of a vocabulary to use instead of the one next to the model. */
  readonly vocabulary?: string
  readonly lowerCase?: boolean
  /** `onnxruntime`, `onnxruntime-web` or `tfjs-wasm`; default: the fastest that is installed. */
  readonly runner?: string
  /** Names of the classes, in the order of the model's outputs. */
  readonly labels?: readonly string[]
  /**
   * Tokens of an input at most, and never more than the model has positions; default as the tokenizer's configuration
   * says (`model_max_length`), else 128.
   */
  readonly maxSeqLength?: number
  /** Compute `sha256`, which reads all weights again. */
  readonly hash?: boolean
  /** Called with notes on contents of the file or its folder that the model does not use. */
  readonly onNote?: (note: string) => void
  /** Read how the folder makes vectors of texts (`modules.json` of sentence-transformers). */
  readonly vectors?: VectorOptions
}

/** Open model with its tokenizer, ready to run on text. */
export interface TextModel extends AsyncDisposable {
  readonly tokenizer: Tokenizer
  /** Names of the classes; null if unknown. */
  readonly labels: readonly string[] | null
  /** Problem that the classifier solves, if the configuration has it. */
  readonly problem: ProblemType | undefined
  readonly maxLength: number
  readonly limits: InputLimits
  /** Runtime, and the file that it runs. */
  readonly runner: string
  readonly detail: string
  /** True if this is the fastest runtime, or the requested one. */
  readonly fastest: boolean
  /** `global_step` of a checkpoint, or null. */
  readonly globalStep: number | null
  /** With `hash`: SHA-256 of weights, configuration and vocabulary, which determine the answers; else empty. */
  readonly sha256: string
  /** Contents of the file or its folder that the model does not use. */
  readonly leftOut: readonly string[]
  /** Way to make vectors of texts; null unless it was asked for. */
  readonly vectors: VectorPlan | null
  /** Task that the model was opened for. */
  readonly task: ResolvedTask
  /** Runs a batch; the outputs in the order of their names. */
  run(batch: Batch, outputs: readonly string[]): Promise<readonly NamedTensor[]>
  /**
   * Threads that run this model until it is closed, in a separate process if batches take long.
   * @param threads default: as many as the machine allows
   * @param batch usual number of rows per batch; default 32
   */
  pool(threads?: number, batch?: number): TextPool
  close(): Promise<void>
}

/** Upper limits (exclusive) on token ids and token types, and the number of positions. */
export interface InputLimits {
  readonly vocabulary: number
  readonly segments: number
  readonly positions: number
}
