import { progressStep } from '../../base/abort.js'
import { join } from 'node:path'
import { disk } from '../../files/disk.js'
import { graphTarget } from '../../export/targets.js'
import type { HeadSelection } from '../../model/tasks.js'
import { artefactForm } from '../../model/names/artefact-names.js'
import { rebind } from '../../model/tensors/rebind.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { RUNNERS, toleranceClassOf } from '../../runtime/runners.js'
import { maskedRows } from '../../compare/compare.js'
import { boundOf, type Arithmetic } from '../../compare/tolerance.js'
import { compareWeights } from '../../compare/weights.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { DynamicWeights } from '../../model/reference/reference-dynamic.js'
import type { Runner } from '../../runtime/runners.js'
import type { Values } from '../../compare/compare.js'
import type { OpenedModel } from '../open/open.js'
import { compute } from '../reference/compute.js'
import { measureFloat32Errors, type Float32Errors } from './float32-error.js'
import { partsIn } from './artefacts.js'
import type { Graph } from './graphs.js'
import { referenceProgress } from './progress.js'
import type { ArtefactWeightCheck } from './report.js'
import { paddedBy, type Verification } from './running.js'

/**
 * Unmasks rows that are masked everywhere: their scores near −10000 have float32 steps of 0.001, which shift the range
 * of a batch whose activations are quantised at run time.
 */
function unmasked(inputs: ModelInputs): ModelInputs {
  const { batch, sequence, attention_mask } = inputs
  const masked = maskedRows(attention_mask, batch, sequence)
  return {
    ...inputs,
    attention_mask: attention_mask.map((m, i) => (masked[Math.floor(i / sequence)] === true ? 1 : m)),
  }
}

/** Arithmetic of a graph: float32, to which weights are widened on loading, unless it computes in less. */
const arithmeticOf = ({ half, dynamic }: Graph): Arithmetic =>
  half ? 'float16' : dynamic.axes.size > 0 ? 'int8' : 'float32'

/** Names of a graph's runners: those requested, or those on a GPU with `gpu`, else the first for its target. */
function runnersOf({ target, file }: Graph, v: Verification): string[] {
  const able = RUNNERS.filter((r) => r.artefact === target)
  const { runners, gpu } = v.options
  if (runners === undefined)
    return (gpu === true ? able.filter((r) => r.device === 'gpu') : able.slice(0, 1)).map((r) => r.name)
  const named = able.filter((r) => runners.includes(r.name)).map((r) => r.name)
  if (named.length === 0)
    v.notRun.push({
      runner: able[0]?.name ?? '',
      reason: `no requested runner can run ${file}`,
    })
  return named
}

/** The heads of `heads` that a file has. */
function headsIn(weights: TensorSource, heads: HeadSelection): HeadSelection {
  const has = (prefix: string): boolean => [...weights.tensors.keys()].some((slot) => slot.startsWith(prefix))
  return {
    mlm: heads.mlm && has('mlm/'),
    sop: heads.sop && has('sop/'),
    classifier: heads.classifier && has('classifier/'),
    qa: heads.qa && has('qa/'),
  }
}

/** Inputs, the outputs of the reference on them, and their change by float32 rounding alone. */
interface Expected {
  readonly inputs: ModelInputs
  readonly outputs: ReadonlyMap<string, Values>
  readonly errors: Float32Errors | undefined
}

/** Of a graph whose integers become float32 before they are multiplied. */
const NOT_DYNAMIC: DynamicWeights = { axes: new Map(), by: 'tensor' }

/** Runs a graph in one runner; gives the comparison of its outputs, for when the runner is closed. */
async function runIn(
  runner: Runner,
  cases: readonly Expected[],
  graph: Graph,
  v: Verification,
): Promise<() => Promise<void>> {
  const { precision } = graph
  const arithmetic = arithmeticOf(graph)
  const bound = boundOf(toleranceClassOf(runner.name), arithmetic)
  const ms: number[] = []
  const comparisons: (() => Promise<void>)[] = []
  for (const { inputs, outputs, errors } of cases) {
    const pairs = [...(await runner.run(inputs))].flatMap(([output, actual]) => {
      const values = outputs.get(output)
      return values === undefined ? [] : [{ name: output, actual, expected: values }]
    })
    await v.time(runner, inputs, ms)
    const testCase = { inputs, bound, expected: outputs, pairs: () => pairs }
    const judged = errors === undefined ? testCase : { ...testCase, float32Errors: errors }
    const options = { precision, ...(paddedBy(runner, inputs) ? { skipMasked: true } : {}) }
    comparisons.push(() => v.compareRun(runner.name, judged, new Map(), options))
  }
  v.noteRuntime(runner, arithmetic, ms, precision)
  return async () => {
    for (const compare of comparisons) await compare()
  }
}

/** Computes what a graph should give on the inputs of `v` that it takes. */
async function expectedOf(
  opened: OpenedModel,
  weights: TensorSource,
  graph: Graph & { readonly longest: number },
  heads: HeadSelection,
  v: Verification,
): Promise<Expected[]> {
  const model = rebind(opened.model, weights, artefactForm(weights, graphTarget(graph.target).order))
  const subject = { model, source: weights }
  const own = headsIn(weights, heads)
  const exact = arithmeticOf(graph) === 'float32'
  const inputs = v.testCases
    .filter((testCase) => testCase.inputs.sequence <= graph.longest)
    .map((testCase) => (exact ? testCase.inputs : unmasked(testCase.inputs)))
  const runs = { kind: 'runs', inputs, heads: own, dynamic: graph.dynamic } as const
  const values = await compute(runs, subject, referenceProgress(v.options))
  return values.map((outputs, i) => {
    const given = inputs[i]!
    const errors = exact
      ? measureFloat32Errors(subject, { inputs: given, expected: outputs }, own, v.options)
      : undefined
    return { inputs: given, outputs, errors }
  })
}

/**
 * Checks a graph in reduced precision: every weight must be the value of its element type nearest to the source's, and
 * the outputs must be those of the reference with the weights stored in the file. The effect of rounding on the model's
 * predictions is measured elsewhere, by the gate of `convertModel`.
 * @throws AlbertkitError if it cannot be read or run
 */
export async function checkQuantised(
  opened: OpenedModel,
  directory: string,
  graph: Graph,
  heads: HeadSelection,
  v: Verification,
): Promise<ArtefactWeightCheck> {
  const { target, precision } = graph
  const { order, openWeights, lengthOf } = graphTarget(target)
  const path = join(directory, graph.file)
  const weights = openWeights(disk, path)
  try {
    v.options.onProgress?.(progressStep('comparing weights', graph.file))
    const form = artefactForm(weights, order)
    const check = compareWeights(opened.source, weights, partsIn(opened.model, weights), { lossy: true, form })
    const names = runnersOf(graph, v)
    const longest = lengthOf?.(disk, path) ?? Infinity
    if (v.options.layers === true || v.options.bisect === true)
      v.notRun.push({
        runner: names.join(', '),
        reason: `layers and operations of ${graph.file} are compared only in float32 graphs`,
      })
    const known = new Map<boolean, readonly Expected[]>()
    for (const name of names) {
      const widens = RUNNERS.find((row) => row.name === name)?.widens === true
      const asRun = widens ? { ...graph, longest, dynamic: NOT_DYNAMIC } : { ...graph, longest }
      const cases = known.get(widens) ?? (await expectedOf(opened, weights, asRun, heads, v))
      known.set(widens, cases)
      v.options.onProgress?.(progressStep('running', `${graph.file} in ${name}`))
      const runner = await v.open(name, { file: path })
      if (runner === null) continue
      const compareAll = await v.unlessAbsent(name, async () => {
        try {
          return await runIn(runner, cases, asRun, v)
        } finally {
          await runner.close()
        }
      })
      await compareAll?.()
    }
    return { artefact: target, dtype: precision, ...check, ok: check.differences.length === 0 }
  } finally {
    weights.close()
  }
}
