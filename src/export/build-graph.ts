import { join } from '../formats/core/paths.js'
import { graphLayout, type GraphTarget } from '../base/artefact-layout.js'
import { makeFolders } from '../files/output-file.js'
import { forward, takesChoices } from '../model/forward.js'
import type { ForwardInputs, Ops } from '../model/ops.js'
import { selectOutputs } from '../model/outputs.js'
import { headsFor } from '../model/tasks.js'
import type { GraphRequest } from './options.js'
import { FLOAT32, PlannedEncodings, type Encodings } from './weights/encoding.js'

/** `Ops` that record the forward pass as a graph instead of computing it. */
interface GraphWriter<T, G> extends Ops<T> {
  readonly inputs: ForwardInputs<T>
  finish(outputs: readonly (readonly [string, T])[]): G
}

/** Runs the forward pass over `Ops` that record it. */
export function buildGraph<T, G>(
  { model, task, options }: GraphRequest,
  make: (choices: boolean) => GraphWriter<T, G>,
): G {
  const heads = headsFor(task)
  const ops = make(takesChoices(model, heads))
  const outputs = forward(model, ops, ops.inputs, heads)
  return ops.finish(selectOutputs(outputs, options.allOutputs))
}

/** Chooses the encodings of the weights; float32 does not read the source. */
export function encodingsOf({ source, options }: GraphRequest): Encodings {
  const { precision = 'f32', precisionOptions } = options
  return precision === 'f32' ? FLOAT32 : new PlannedEncodings(source, precision, precisionOptions)
}

/**
 * Creates the folder of a graph. Call it after building the graph, so that errors in a request appear before anything
 * is written.
 * @throws AlbertkitError `output`
 */
export function makeGraphFolder(directory: string, target: GraphTarget): void {
  makeFolders(join(directory, graphLayout(target).folder))
}
