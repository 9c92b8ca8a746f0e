import type { Abortable } from '../../base/abort.js'
import type { ModelInputs } from '../../model/reference/run.js'
import type { HeadSelection } from '../../model/tasks.js'
import { toleranceClassOf, type Runner } from '../../runtime/runners.js'
import type { Step } from '../../compare/replay.js'
import { OPERATIONS } from '../../compare/stages.js'
import type { OpenedModel } from '../open/open.js'
import { compute } from '../reference/compute.js'
import type { OperationReport } from './report.js'
import { worstBy } from '../../base/worst-by.js'
import { counts } from './divergence.js'

/** Findings on the operations of a run. */
export interface OperationResult {
  readonly operations: readonly OperationReport[]
  /** First wrong operation, in the order of computation; null if all are right. */
  readonly first: Step | null
}

const place = ({ layer, operation }: Pick<Step, 'layer' | 'operation'>): number =>
  (layer ?? 1e6) * OPERATIONS.length + OPERATIONS.indexOf(operation)

/** Worst step of each kind in each layer. */
function worstOf(steps: readonly Step[]): OperationReport[] {
  return [...worstBy(steps.filter(counts), place)]
    .sort(([a], [b]) => a - b)
    .map(([, { runner, layer, operation, output, maxAbs, atol, ok }]) => ({
      runner,
      layer,
      operation,
      output,
      maxAbs,
      atol,
      ok,
    }))
}

/**
 * Checks every operation of a runner separately: the reference computes it from the runner's own inputs to it, so that
 * an error shows in the operation that causes it and not in later ones.
 */
export async function judgeOperations(
  opened: OpenedModel,
  runner: Runner,
  inputsOf: readonly ModelInputs[],
  heads: HeadSelection,
  options: Abortable,
): Promise<OperationResult> {
  const all: Step[] = []
  let first: Step | null = null
  const hardware = toleranceClassOf(runner.name)
  for (const inputs of inputsOf) {
    const run = await runner.run(inputs, runner.inner)
    const given = { heads, runner: runner.name, hardware, run }
    const steps = await compute({ kind: 'replay', inputs: [inputs], ...given }, opened, options)
    first ??= steps.find((step) => !step.ok) ?? null
    all.push(...steps)
  }
  return { operations: worstOf(all), first }
}
