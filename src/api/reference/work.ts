import { replay, type Step } from '../../compare/replay.js'
import { boundOfOperation, type ToleranceClass } from '../../compare/tolerance.js'
import type { Values } from '../../compare/compare.js'
import { forwardFlops } from '../../model/accounting/cost.js'
import type { AlbertModel } from '../../model/albert.js'
import { hiddenStateCount } from '../../model/outputs.js'
import {
  headsOn,
  runAll,
  type Computing,
  type ModelInputs,
  type Runs,
  type Subject,
} from '../../model/reference/run.js'
import type { Tensor } from '../../model/reference/reference.js'
import { TraceMeans, traceOn, type HeadMeans, type LayerMeans } from '../../model/reference/trace.js'
import type { HeadSelection } from '../../model/tasks.js'

/** Work of the reference, as plain data that passes from thread to thread. */
export type Work =
  | ({ readonly kind: 'runs' } & Runs)
  | { readonly kind: 'trace'; readonly inputs: readonly ModelInputs[]; readonly heads: HeadSelection }
  | ({ readonly kind: 'replay'; readonly inputs: readonly [ModelInputs] } & Replayed)

/** Values of a runtime, whose operations are compared one by one. */
export interface Replayed {
  readonly heads: HeadSelection
  readonly runner: string
  readonly hardware: ToleranceClass
  readonly run: ReadonlyMap<string, Values>
}

/** Result of each kind of work. */
export interface Results {
  /** Values of each of the inputs. */
  readonly runs: readonly ReadonlyMap<string, Tensor>[]
  readonly trace: { readonly layers: LayerMeans[]; readonly heads: HeadMeans[]; readonly tokens: number }
  readonly replay: readonly Step[]
}

export type Result = Results[keyof Results]

function trace(subject: Subject, inputs: readonly ModelInputs[], computing: Computing): Results['trace'] {
  const means = new TraceMeans()
  for (const batch of inputs) traceOn(subject, batch, means, computing)
  return { ...means.result(), tokens: means.tokens }
}

/** Does the work on the processors of `computing`. */
export function perform(work: Work, subject: Subject, computing: Computing): Result {
  if (work.kind === 'runs') return runAll(subject, work, computing)
  if (work.kind === 'trace') return trace(subject, work.inputs, computing)
  const [inputs] = work.inputs
  const { hardware, ...rest } = work
  return replay({ ...subject, ...rest, inputs, bound: (kind) => boundOfOperation(hardware, kind) }, computing)
}

/** Floating-point operations of the work. */
export const flopsOf = ({ inputs, heads }: Work, model: AlbertModel): number =>
  inputs.reduce((sum, x) => sum + forwardFlops(model, headsOn(heads, x), x.batch, x.sequence), 0)

/** Number of calls of `onLayer` during the whole work. */
export const stepsOf = ({ inputs }: Work, model: AlbertModel): number => inputs.length * hiddenStateCount(model)
