import { type Abortable, type OnProgress } from '../../base/abort.js'
import type { Precision, Target } from '../../base/artefact-layout.js'
import type { Adapter, RunnerOptions } from '../../runtime/runners.js'
import type { Comparison } from '../../compare/compare.js'
import type { Operation } from '../../compare/stages.js'
import type { Arithmetic } from '../../compare/tolerance.js'
import type { WeightDifference } from '../../compare/weights.js'
import type { OpenModelOptions } from '../open/open.js'

export interface VerifyOptions extends Abortable, OpenModelOptions, RunnerOptions {
  /** Names of runners; default: all that can run. */
  readonly runners?: readonly string[]
  /** Use all runners on a GPU instead of those on the CPU; an error if no GPU is usable, never a fall-back. */
  readonly gpu?: boolean
  /** Path of a golden: inputs, and outputs that TensorFlow or PyTorch computed. */
  readonly golden?: string
  /** Absolute tolerance instead of the default ones. */
  readonly atol?: number
  /** Compare every hidden state and name the first that differs. */
  readonly layers?: boolean
  /** Compare every operation separately and name the first that is wrong. */
  readonly bisect?: boolean
  /** Path of a text whose lines are the inputs, through the model's tokenizer. */
  readonly text?: string
  /** Path of another model whose float64 reference is the arbiter instead of the model's own. */
  readonly referenceModel?: string
  /** Path of a safetensors file to write as a golden: the widest inputs and the arbiter's outputs. */
  readonly saveGolden?: string
  /** Replace the file of `saveGolden`. */
  readonly force?: boolean
  /** Called with the current step, for progress output. */
  readonly onProgress?: OnProgress
}

export interface ArtefactWeightCheck {
  readonly artefact: Target
  /** Element type unless float32; every weight is then compared with the source's, rounded to it. */
  readonly dtype?: Precision
  readonly compared: number
  readonly differences: readonly WeightDifference[]
  readonly ok: boolean
}

/** Runtime that ran. */
export interface RuntimeReport {
  readonly runner: string
  /** Packages, versions and device. */
  readonly detail: string
  /** Element type of the weights unless float32. */
  readonly dtype?: Precision
  /** Arithmetic; weights may be stored in fewer bits. */
  readonly precision: Arithmetic
  /** The GPU; null on a CPU. */
  readonly adapter: Adapter | null
  /** With `gpu`: milliseconds of a second run of each input. */
  readonly ms?: readonly number[]
}

/** Something that was not run, and the reason. */
export interface NotRun {
  readonly runner: string
  readonly output?: string
  readonly reason: string
}

/** First difference of a run; layer −1 is the embeddings, null a head. */
export interface Divergence {
  readonly runner: string
  readonly layer: number | null
  /** Null if no single operation is wrong, or the runtime does not expose them. */
  readonly operation: Operation | null
  /** Name of the hidden state, or path of the inner value. */
  readonly output: string
}

/** Hidden state of a runtime after one layer, compared with the arbiter's; the worst of all inputs. */
export interface LayerReport {
  readonly runner: string
  /** −1 is the embeddings. */
  readonly layer: number
  readonly output: string
  readonly maxAbs: number | null
  readonly atol: number
  readonly ok: boolean
}

/** Operations of one kind in one layer, each compared with the reference on the runtime's own inputs to it. */
export interface OperationReport {
  readonly runner: string
  readonly layer: number | null
  readonly operation: Operation
  /** Worst of them, relative to its bound. */
  readonly output: string
  readonly maxAbs: number | null
  readonly atol: number
  readonly ok: boolean
}

export interface VerifyReport {
  readonly ok: boolean
  readonly family: string
  /** Path of the golden; null if a float64 reference is the arbiter. */
  readonly golden: string | null
  /** Path of the model whose reference is the arbiter, if it is another one. */
  readonly against?: string
  /** Path of the golden that was written. */
  readonly saved?: string
  /** Shapes of the inputs, `[batch, sequence]` or `[batch, choices, sequence]`. */
  readonly inputs: readonly (readonly number[])[]
  readonly runtimes: readonly RuntimeReport[]
  readonly comparisons: readonly Comparison[]
  readonly weights: readonly ArtefactWeightCheck[]
  readonly notRun: readonly NotRun[]
  /** Notes for the user on how the source was read. */
  readonly notes: readonly string[]
  /** With `layers` or `bisect`. */
  readonly layers?: readonly LayerReport[]
  /** Operations that were compared separately: all with `bisect`, those of diverging runs with `layers`. */
  readonly operations?: readonly OperationReport[]
  /** With `layers` or `bisect`: first difference in any runner. */
  readonly firstDivergent?: Divergence | null
}
