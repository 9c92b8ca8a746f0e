import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { onnxFileName, type Precision } from '../../export/index.js'
import { dequantised } from '../../formats/dequantised.js'
import { onnxGraphNames, openOnnxWeights } from '../../formats/onnx.js'
import type { TensorSource } from '../../formats/source.js'
import { openTfjsWeights } from '../../formats/tfjs.js'
import type { HeadSelection } from '../../model/forward.js'
import { rebind } from '../../model/rebind.js'
import type { DynamicWeights } from '../../model/reference-dynamic.js'
import { runReference, type ModelInputs } from '../../model/reference-run.js'
import { openRunner, RUNNERS, type ArtefactKind } from '../../runtime/index.js'
import { maskedRows, REFERENCE_BOUND, type Bound } from '../../verify/compare.js'
import { compareWeights } from '../../verify/weights.js'
import type { OpenedModel } from '../open.js'
import { partsIn } from './artefacts.js'
import { parsed, tfjsPrecision } from './precision.js'
import type { ArtefactWeightCheck } from './report.js'
import type { Verification } from './running.js'

/** A graph whose weights are not float32. */
export interface QuantisedGraph {
  readonly kind: ArtefactKind
  readonly precision: Precision
  /** Relative to the output directory. */
  readonly file: string
  /** Whether it computes in float16. */
  readonly half: boolean
  /** Products of quantised activations. */
  readonly dynamic: DynamicWeights
}

function onnxGraph(directory: string, precision: Precision): QuantisedGraph[] {
  const file = `onnx/${onnxFileName(precision)}`
  if (!existsSync(join(directory, file))) return []
  const { metadata } = onnxGraphNames(join(directory, file))
  const entries = Object.entries(parsed(metadata.get('dynamic')))
  const dynamic = new Map(entries.filter((entry): entry is [string, 0 | 1] => entry[1] === 0 || entry[1] === 1))
  return [{ kind: 'onnx', precision, file, half: metadata.get('compute') === 'f16', dynamic }]
}

/** The graphs of a directory whose weights are not float32. */
export function quantisedIn(directory: string): QuantisedGraph[] {
  const tfjs = tfjsPrecision(directory)
  return [
    ...onnxGraph(directory, 'f16'),
    ...onnxGraph(directory, 'int8'),
    ...(tfjs === null || tfjs === 'f32'
      ? []
      : [{ kind: 'tfjs' as const, precision: tfjs, file: 'tfjs/model.json', half: false, dynamic: new Map() }]),
  ]
}

/**
 * Rows that are masked everywhere, unmasked: their scores near −10000 have float32 steps of 0.001, which shift the range
 * of a whole batch that is quantised while the model runs.
 */
function unmasked(inputs: ModelInputs): ModelInputs {
  const { batch, sequence, attention_mask } = inputs
  const masked = maskedRows(attention_mask, batch, sequence)
  return {
    ...inputs,
    attention_mask: attention_mask.map((m, i) => (masked[Math.floor(i / sequence)] === true ? 1 : m)),
  }
}

/**
 * How near a graph must come to the reference of its own weights. Where activations are rounded to a step while the
 * model runs, a value that lies at the edge of two steps may take the other one.
 */
function boundOf({ half, dynamic }: QuantisedGraph): Bound {
  if (half) return (largest) => 1e-2 * Math.max(1, largest)
  return dynamic.size > 0 ? (largest) => 5e-2 * Math.max(1, largest) : REFERENCE_BOUND
}

export const openGraphWeights = (
  directory: string,
  { kind, file }: Pick<QuantisedGraph, 'kind' | 'file'>,
): TensorSource =>
  kind === 'tfjs' ? openTfjsWeights(join(directory, file)) : dequantised(openOnnxWeights(join(directory, file)))

/**
 * Checks a graph whose weights are not float32: every weight must be the nearest to the source's that its element type
 * has, and its outputs those that the reference computes with the very weights that are in the file. What the rounding
 * does to the model's answers is another question, which the gate of `convert` asks.
 * @throws AlbertkitError where it cannot be read or run
 */
export async function checkQuantised(
  opened: OpenedModel,
  directory: string,
  graph: QuantisedGraph,
  heads: HeadSelection,
  v: Verification,
): Promise<ArtefactWeightCheck> {
  const { kind, precision, dynamic } = graph
  const weights = openGraphWeights(directory, graph)
  try {
    v.options.onProgress?.(`comparing the weights of ${graph.file}`)
    const check = compareWeights(opened.source, weights, partsIn(opened.model, weights), true)
    const name = RUNNERS.find((r) => r.artefact === kind)?.name ?? ''
    const asked = v.options.runners
    if (asked === undefined || asked.includes(name)) {
      v.options.onProgress?.(`running ${graph.file} in ${name}`)
      const model = rebind(opened.model, weights, kind === 'onnx' ? 'stored' : 'meant')
      const has = (prefix: string): boolean => [...weights.tensors.keys()].some((slot) => slot.startsWith(prefix))
      const own = {
        mlm: heads.mlm && has('mlm/'),
        sop: heads.sop && has('sop/'),
        classifier: heads.classifier && has('classifier/'),
        qa: heads.qa && has('qa/'),
      }
      const runner = await openRunner(name, { file: join(directory, graph.file) })
      try {
        for (const trial of v.trials) {
          const inputs = graph.half || dynamic.size > 0 ? unmasked(trial.inputs) : trial.inputs
          const expected = runReference(model, weights, inputs, own, dynamic)
          const pairs = [...(await runner.run(inputs))].flatMap(([output, actual]) => {
            const values = expected.get(output)
            return values === undefined ? [] : [{ name: output, actual, expected: values }]
          })
          v.compareRun(name, { inputs, bound: boundOf(graph), pairs: () => pairs }, new Map(), { precision })
        }
      } finally {
        await runner.close()
      }
    } else v.notRun.push({ runner: name, reason: `only the runners named were asked for; ${graph.file} was not run` })
    return { artefact: kind, dtype: precision, ...check, ok: check.differences.length === 0 }
  } finally {
    weights.close()
  }
}
