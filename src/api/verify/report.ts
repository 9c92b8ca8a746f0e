import type { Precision } from '../../export/index.js'
import type { FileTarget } from '../../model/translation.js'
import type { Adapter, ArtefactKind, RunnerOptions } from '../../runtime/index.js'
import type { Comparison } from '../../verify/compare.js'
import type { Arithmetic } from '../../verify/tolerance.js'
import type { WeightDifference } from '../../verify/weights.js'
import type { OpenModelOptions } from '../open.js'

export interface VerifyOptions extends OpenModelOptions, RunnerOptions {
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
  /** Told what is being done, for progress. */
  readonly onProgress?: (what: string) => void
}

export interface ArtefactWeightCheck {
  readonly artefact: ArtefactKind | FileTarget
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

/** A hidden state beyond its bound; layer −1 is the embeddings. */
export interface Divergence {
  readonly runner: string
  readonly layer: number
  readonly output: string
}

export interface VerifyReport {
  readonly ok: boolean
  readonly family: string
  /** The golden's file name, or null where the float64 reference is the arbiter. */
  readonly golden: string | null
  /** Shapes of the inputs, `[batch, sequence]` or `[batch, choices, sequence]`. */
  readonly inputs: readonly (readonly number[])[]
  readonly runtimes: readonly RuntimeReport[]
  readonly comparisons: readonly Comparison[]
  readonly weights: readonly ArtefactWeightCheck[]
  readonly notRun: readonly NotRun[]
  /** What a person should know about how the source was read. */
  readonly notes: readonly string[]
  /** With `layers`: the first hidden state that differs in any runner. */
  readonly firstDivergent?: Divergence | null
}
