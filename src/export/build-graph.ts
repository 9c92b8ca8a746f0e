import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { graphLayout, type GraphTarget } from '../base/artefact-layout.js'
import { writing } from '../files/output-file.js'
import { forward, takesChoices } from '../model/forward.js'
import type { ForwardInputs, Ops } from '../model/ops.js'
import { selectOutputs } from '../model/outputs.js'
import { headsFor } from '../model/tasks.js'
import type { GraphRequest } from './options.js'
import { FLOAT32, PlannedEncodings, type Encodings } from './weights/encoding.js'

/** Operations that write the forward pass down instead of computing it. */
interface GraphWriter<T, G> extends Ops<T> {
  readonly inputs: ForwardInputs<T>
  finish(outputs: readonly (readonly [string, T])[]): G
}

/** Runs the forward pass over operations that write it down. */
export function buildGraph<T, G>(
  { model, task, options }: GraphRequest,
  make: (choices: boolean) => GraphWriter<T, G>,
): G {
  const heads = headsFor(task)
  const ops = make(takesChoices(model, heads))
  const outputs = forward(model, ops, ops.inputs, heads)
  return ops.finish(selectOutputs(outputs, options.allOutputs))
}

/** How the weights are stored; float32 needs no look at the source. */
export function encodingsOf({ source, options }: GraphRequest): Encodings {
  const { precision = 'f32', precisionOptions } = options
  return precision === 'f32' ? FLOAT32 : new PlannedEncodings(source, precision, precisionOptions)
}

/**
 * Makes the folder of a graph. Called once the graph is built: what is wrong with a request is said before anything is
 * written.
 * @throws AlbertkitError `output`
 */
export function makeGraphFolder(directory: string, target: GraphTarget): void {
  const folder = join(directory, graphLayout(target).folder)
  writing(folder, () => mkdirSync(folder, { recursive: true }))
}
