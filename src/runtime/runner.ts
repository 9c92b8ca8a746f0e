import { environment, malformed, type AlbertkitError } from '../base/errors.js'
import type { ModelInputs } from '../model/reference/run.js'
import type { Adapter } from './gpu/adapter.js'

/** Numbers that a runtime gave, row-major. */
export interface NamedTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A model file, or a model, that is loaded in a runtime. */
export interface Runner {
  /** `onnxruntime`, `tfjs-cpu`, `tfjs-wasm` … (`RUNNERS`) */
  readonly name: string
  /** What really runs: package, version, device. */
  readonly detail: string
  /** The GPU it runs on; null on a CPU. */
  readonly adapter: Adapter | null
  /** Names of the model's outputs. */
  readonly outputs: readonly string[]
  /** Inner values that can be asked for by name: `hidden_state_<i>`, `embedding_output` … */
  readonly marks: readonly string[]
  /** Inner values of single operations that can be asked for by their paths (`innerNames`). */
  readonly inner: readonly string[]
  /**
   * Runs the model and gives the values that `wanted` names; all outputs if left out.
   * @throws AlbertkitError `malformed` where the runtime refuses the model, `environment` where its GPU cannot do it
   */
  run(inputs: ModelInputs, wanted?: readonly string[]): Promise<ReadonlyMap<string, NamedTensor>>
  close(): Promise<void>
}

/** First line of what a runtime says. */
export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''

/** The error of a model that does not run: the model's fault, unless it wants what the GPU does not have. */
export function runError(library: string, said: string, file: string, cause: unknown): AlbertkitError {
  if (said.includes('requires f16 but the device does not support it'))
    return environment(`the model computes in float16, which this GPU does not offer to ${library}`, {
      file,
      hint: 'convert without --fp16-compute: f16 weights are then widened when the model is loaded',
      cause,
    })
  return malformed(`${library} cannot run the model: ${said}`, { file, cause })
}
