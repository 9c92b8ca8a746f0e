import type { Abortable } from '../../base/abort.js'
import type { Precision, Target } from '../../base/artefact-layout.js'
import type { Adapter, RunnerOptions } from '../../runtime/runners.js'
import type { Comparison } from '../../compare/compare.js'
import type { Operation } from '../../compare/stages.js'
import type { Arithmetic } from '../../compare/tolerance.js'
import type { WeightDifference } from '../../compare/weights.js'
import type { OpenModelOptions } from '../open/open.js'

export interface VerifyOptions extends Abortable, OpenModelOptions, RunnerOptions {
  /** Runners by name; all that can run if left out. */
  readonly runners?: readonly string[]
  /** Every runner on a GPU instead of those on the CPU; none that runs is an error, never a fall-back. */
  readonly gpu?: boolean
  /** File of inputs and outputs that TensorFlow or PyTorch computed. */
  readonly golden?: string
  /** Absolute bound instead of the usual ones. */
  readonly atol?: number
  /** Compare every hidden state and name the first that differs. */
  readonly layers?: boolean
  /** Every operation of a run by itself: what is wrong is named where it is made. */
  readonly bisect?: boolean
  /** File of text to draw inputs from, through the model's tokenizer. */
  readonly text?: string
  /** Another model, whose outputs are the arbiter instead of the model's own in float64. */
  readonly referenceModel?: string
  /** safetensors file for the widest inputs and what the arbiter computed for them: a golden. */
  readonly saveGolden?: string
  /** Replace the file of `saveGolden`. */
  readonly force?: boolean
  /** Told what is being done, for progress. */
  readonly onProgress?: (what: string) => void
}

export interface ArtefactWeightCheck {
  readonly artefact: Target
  /** Element type, where it is not float32: then every weight is the nearest to the source's. */
  readonly dtype?: Precision
  readonly compared: number
  readonly differences: readonly WeightDifference[]
  readonly ok: boolean
}

/** A runtime that ran. */
export interface RuntimeReport {
  readonly runner: string
  /** Packages, versions, device. */
  readonly detail: string
  /** Element type of the weights, where it is not float32. */
  readonly dtype?: Precision
  /** How it computes; the weights may be stored in fewer bits. */
  readonly precision: Arithmetic
  /** The GPU; null on a CPU. */
  readonly adapter: Adapter | null
  /** Milliseconds of a second run of each input, where a GPU was asked for. */
  readonly ms?: readonly number[]
}

/** Something that was not run, and why. */
export interface NotRun {
  readonly runner: string
  readonly output?: string
  readonly reason: string
}

/** The first place at which a run is not what it should be; layer −1 is the embeddings, null a head. */
export interface Divergence {
  readonly runner: string
  readonly layer: number | null
  /** Null where no single operation is wrong, or the runtime cannot be asked. */
  readonly operation: Operation | null
  /** Hidden state, or path of the inner value. */
  readonly output: string
}

/** What a runtime gives after one layer, against the arbiter; the worst of all inputs. */
export interface LayerReport {
  readonly runner: string
  /** −1 is the embeddings. */
  readonly layer: number
  readonly output: string
  readonly maxAbs: number | null
  readonly atol: number
  readonly ok: boolean
}

/** The operations of one kind in one layer of a run, each computed again from the runtime's own values before it. */
export interface OperationReport {
  readonly runner: string
  readonly layer: number | null
  readonly operation: Operation
  /** The worst of them, relative to its bound. */
  readonly output: string
  readonly maxAbs: number | null
  readonly atol: number
  readonly ok: boolean
}

export interface VerifyReport {
  readonly ok: boolean
  readonly family: string
  /** The golden's file name, or null where a float64 reference is the arbiter. */
  readonly golden: string | null
  /** The model whose reference is the arbiter, where it is another one. */
  readonly against?: string
  /** Where inputs and reference outputs were written. */
  readonly saved?: string
  /** Shapes of the inputs, `[batch, sequence]` or `[batch, choices, sequence]`. */
  readonly inputs: readonly (readonly number[])[]
  readonly runtimes: readonly RuntimeReport[]
  readonly comparisons: readonly Comparison[]
  readonly weights: readonly ArtefactWeightCheck[]
  readonly notRun: readonly NotRun[]
  /** What a person should know about how the source was read. */
  readonly notes: readonly string[]
  /** With `layers` or `bisect`. */
  readonly layers?: readonly LayerReport[]
  /** Operations that were judged by themselves: all with `bisect`, those of runs that diverge with `layers`. */
  readonly operations?: readonly OperationReport[]
  /** With `layers` or `bisect`: the first place that differs in any runner. */
  readonly firstDivergent?: Divergence | null
}
