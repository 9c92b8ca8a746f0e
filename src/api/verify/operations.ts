import type { HeadSelection } from '../../model/tasks.js'
import { toleranceClassOf, type Runner } from '../../runtime/runners.js'
import { replay, type Step } from '../../compare/replay.js'
import { OPERATIONS, type Operation } from '../../compare/stages.js'
import { boundOfOperation } from '../../compare/tolerance.js'
import type { OpenedModel } from '../open/open.js'
import type { OperationReport } from './report.js'
import type { TestCase } from './test-cases.js'
import { worstBy } from './worst.js'

/** What was found of a run's operations. */
export interface OperationResult {
  readonly operations: readonly OperationReport[]
  /** The first that is wrong, in the order of computation. */
  readonly first: Step | null
}

const place = ({ layer, operation }: Pick<Step, 'layer' | 'operation'>): number =>
  (layer ?? 1e6) * OPERATIONS.length + OPERATIONS.indexOf(operation)

/** The worst step of each kind in each layer. */
function worstOf(steps: readonly Step[]): OperationReport[] {
  return [...worstBy(steps, place)]
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
 * Judges every operation of a runner by itself: the reference goes on from the runner's own values, so that an error is
 * seen where it is made and nowhere after it.
 */
export async function judgeOperations(
  { model, source }: OpenedModel,
  runner: Runner,
  testCases: readonly TestCase[],
  heads: HeadSelection,
): Promise<OperationResult> {
  const all: Step[] = []
  let first: Step | null = null
  const hardware = toleranceClassOf(runner.name)
  for (const { inputs } of testCases) {
    const run = await runner.run(inputs, runner.inner)
    const bound = (kind: Operation) => boundOfOperation(hardware, kind)
    const steps = replay({ model, source, inputs, heads, runner: runner.name, run, bound })
    first ??= steps.find((step) => !step.ok) ?? null
    all.push(...steps)
  }
  return { operations: worstOf(all), first }
}
