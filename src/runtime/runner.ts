import { environment, malformed, type AlbertkitError } from '../base/errors.js'
import type { ModelInputs } from '../model/reference/run.js'
import type { Adapter } from './gpu/adapter.js'

/** Output values of a runtime, row-major. */
export interface NamedTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A model file, or a model without a file, loaded in a runtime. */
export interface Runner {
  /** `onnxruntime`, `tfjs-cpu`, `tfjs-wasm` … (`RUNNERS`) */
  readonly name: string
  /** Package, version and device. */
  readonly detail: string
  /** GPU that it runs on; null on a CPU. */
  readonly adapter: Adapter | null
  /** Names of the model's outputs. */
  readonly outputs: readonly string[]
  /** Inner values that can be asked for by name: `hidden_state_<i>`, `embedding_output` … */
  readonly marks: readonly string[]
  /** Inner values of single operations that can be asked for by their paths (`innerNames`). */
  readonly inner: readonly string[]
  /**
   * Tokens of a row, if the model takes no other number: longer rows are refused, shorter ones are padded, which
   * changes the outputs of rows that are masked everywhere.
   */
  readonly sequence?: number
  /**
   * Runs the model and returns the values that `wanted` names; all outputs by default.
   * @throws AlbertkitError `malformed` if the runtime rejects the model, `environment` if its GPU lacks a feature
   */
  run(inputs: ModelInputs, wanted?: readonly string[]): Promise<ReadonlyMap<string, NamedTensor>>
  close(): Promise<void>
}

/** First line of an error message. */
export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''

/** Error of a model that does not run: `malformed`, unless the GPU lacks a feature that it needs. */
export function runError(library: string, message: string, file: string, cause: unknown): AlbertkitError {
  if (message.includes('requires f16 but the device does not support it'))
    return environment(`the model computes in float16, which this GPU does not offer to ${library}`, {
      code: 'device-missing',
      file,
      hint: 'convert without `halfCompute`: f16 weights are then widened when the model is loaded',
      cause,
    })
  return malformed(`${library} cannot run the model: ${message}`, { code: 'artefact-rejected', file, cause })
}
