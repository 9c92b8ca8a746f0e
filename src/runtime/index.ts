import { usage } from '../errors.js'
import type { TensorSource } from '../formats/source.js'
import type { AlbertModel } from '../model/albert.js'
import { ALL_HEADS } from '../model/outputs.js'
import { openOnnx } from './onnxruntime.js'
import type { Runner } from './runner.js'
import { openEager } from './tfjs-ops.js'
import { openTfjs } from './tfjs.js'

export type { NamedTensor, Runner } from './runner.js'

/** Forms of a model that a runner can load. */
export type ArtefactKind = 'tfjs' | 'onnx'

export interface RunnerInfo {
  readonly name: string
  /** The form that it loads. */
  readonly artefact: ArtefactKind
  /** Whether it can run a model that has no file, too. */
  readonly eager: boolean
}

/** Every runner there is; the packages behind them are imported when one is opened. */
export const RUNNERS: readonly RunnerInfo[] = [
  { name: 'onnxruntime', artefact: 'onnx', eager: false },
  { name: 'tfjs-wasm', artefact: 'tfjs', eager: true },
  { name: 'tfjs-cpu', artefact: 'tfjs', eager: true },
]

/** Values of an ONNX file that are no outputs and are to be made available. */
export interface InnerValues {
  /** By name: `hidden_state_<i>` … */
  readonly marks: readonly string[]
  /** Names of the values of inner operations, by their paths. */
  readonly inner: Readonly<Record<string, string>>
  /** What the graph gives anyway. */
  readonly outputs: readonly string[]
}

/** A model file, or a model without one. */
export type Runnable =
  | { readonly file: string; readonly values?: InnerValues }
  | { readonly model: AlbertModel; readonly source: TensorSource }

export interface RunnerSettings {
  /** onnxruntime: threads inside an operation; one, by default. */
  readonly threads?: number
}

/**
 * Opens the runner called `name`.
 * @throws AlbertkitError `usage` where there is none, `environment` where its package is absent, `malformed`
 */
export function openRunner(name: string, what: Runnable, settings: RunnerSettings = {}): Promise<Runner> {
  const info = RUNNERS.find((r) => r.name === name)
  if (info === undefined)
    throw usage(`there is no runner ${name}`, { hint: `runners: ${RUNNERS.map((r) => r.name).join(', ')}` })
  const backend = name === 'tfjs-cpu' ? 'cpu' : 'wasm'
  if ('model' in what) {
    if (!info.eager) throw usage(`${name} runs model files only`)
    return openEager(what.model, what.source, backend, ALL_HEADS)
  }
  return info.artefact === 'onnx' ? openOnnx(what.file, { ...what.values, ...settings }) : openTfjs(what.file, backend)
}
