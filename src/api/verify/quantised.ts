import { join } from 'node:path'
import { disk } from '../../files/disk.js'
import { graphTarget } from '../../export/targets.js'
import type { HeadSelection } from '../../model/tasks.js'
import { rebind } from '../../model/tensors/rebind.js'
import { runReference, type ModelInputs } from '../../model/reference/run.js'
import { RUNNERS, toleranceClassOf } from '../../runtime/runners.js'
import { maskedRows } from '../../compare/compare.js'
import { boundOf, type Arithmetic } from '../../compare/tolerance.js'
import { compareWeights } from '../../compare/weights.js'
import type { OpenedModel } from '../open/open.js'
import { partsIn } from './artefacts.js'
import { measureFloat32Errors } from './float32-error.js'
import type { Graph } from './graphs.js'
import type { ArtefactWeightCheck } from './report.js'
import type { Verification } from './running.js'

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
  half ? 'float16' : dynamic.size > 0 ? 'int8' : 'float32'

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
  const { target, precision, dynamic } = graph
  const { order, openWeights } = graphTarget(target)
  const weights = openWeights(disk, join(directory, graph.file))
  try {
    v.options.onProgress?.(`comparing the weights of ${graph.file}`)
    const check = compareWeights(opened.source, weights, partsIn(opened.model, weights), true)
    const model = rebind(opened.model, weights, order)
    const has = (prefix: string): boolean => [...weights.tensors.keys()].some((slot) => slot.startsWith(prefix))
    const own = {
      mlm: heads.mlm && has('mlm/'),
      sop: heads.sop && has('sop/'),
      classifier: heads.classifier && has('classifier/'),
      qa: heads.qa && has('qa/'),
    }
    const arithmetic = arithmeticOf(graph)
    const inputs = v.testCases.map((testCase) =>
      arithmetic === 'float32' ? testCase.inputs : unmasked(testCase.inputs),
    )
    const names = runnersOf(graph, v)
    const expected = names.length === 0 ? [] : inputs.map((x) => runReference(model, weights, x, own, dynamic))
    const errors =
      arithmetic === 'float32'
        ? expected.map((exact, i) =>
            measureFloat32Errors({ model, source: weights }, { inputs: inputs[i]!, expected: exact }, own),
          )
        : []
    if (v.options.layers === true || v.options.bisect === true)
      v.notRun.push({
        runner: names.join(', '),
        reason: `layers and operations of ${graph.file} are compared only in float32 graphs`,
      })
    for (const name of names) {
      v.options.onProgress?.(`running ${graph.file} in ${name}`)
      const runner = await v.open(name, { file: join(directory, graph.file) })
      if (runner === null) continue
      await v.unlessAbsent(name, async () => {
        const ms: number[] = []
        try {
          for (const [i, x] of inputs.entries()) {
            const pairs = [...(await runner.run(x))].flatMap(([output, actual]) => {
              const values = expected[i]?.get(output)
              return values === undefined ? [] : [{ name: output, actual, expected: values }]
            })
            await v.time(runner, x, ms)
            const bound = boundOf(toleranceClassOf(name), arithmetic)
            const testCase = { inputs: x, bound, expected: expected[i]!, pairs: () => pairs }
            const float32Errors = errors[i]
            v.compareRun(name, float32Errors === undefined ? testCase : { ...testCase, float32Errors }, new Map(), {
              precision,
            })
          }
          v.noteRuntime(runner, arithmetic, ms, precision)
        } finally {
          await runner.close()
        }
      })
    }
    return { artefact: target, dtype: precision, ...check, ok: check.differences.length === 0 }
  } finally {
    weights.close()
  }
}
