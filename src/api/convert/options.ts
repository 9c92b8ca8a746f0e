import type { ExportOptions, Precision, Target, WrittenArtefact } from '../../export/export.js'
import type { Architecture } from '../../model/rewrite/translation.js'
import type { GateReport } from '../gate/gate.js'
import type { Growth } from '../checkpoint-files.js'
import type { OpenModelOptions } from '../open/open.js'
import type { FormRequest } from './precisions.js'
import type { VerifyReport } from '../verify/verify.js'

export interface ConvertOptions extends OpenModelOptions {
  /** Forms to write. */
  readonly targets: readonly Target[]
  /** Bring the model into this architecture by multiplying out and copying; with the target `safetensors` alone. */
  readonly as?: Architecture
  /** Write `embedding_output` and every `hidden_state_<i>` as outputs too. */
  readonly allOutputs?: boolean
  /**
   * Element types of the weights: several for ONNX, one for tfjs and safetensors. By default float32 alone, and in
   * safetensors the source's own.
   */
  readonly dtypes?: readonly Precision[]
  /** ONNX: version of the operator set. */
  readonly opset?: number
  /** ONNX: weights in a file of their own, whatever their size. */
  readonly externalData?: boolean
  /** ONNX f16: compute in float16 too. */
  readonly halfCompute?: boolean
  /** int8: leave activations as they are. */
  readonly weightsOnly?: boolean
  /** Leave embedding tables as they are. */
  readonly keepEmbeddings?: boolean
  /** Least part of answers that must stay the same where weights are not float32; 0 asks nothing. Default 0.99. */
  readonly minAgreement?: number
  /**
   * Lines of text to ask that of, labelled ones for a classifier (the format by the name: .tsv, .csv, .jsonl, else lines).
   * By default built-in sentences where the model has a vocabulary that knows them, else drawn tokens.
   */
  readonly gate?: string
  /** Verify what was written before it appears; default true. */
  readonly verify?: boolean
  /** Absolute bound of the verification instead of the usual ones. */
  readonly atol?: number
  /** Replace the named forms in an existing directory. */
  readonly force?: boolean
  /** Say what would be written and write nothing. */
  readonly dryRun?: boolean
  readonly onProgress?: (what: string) => void
}

export interface ArtefactReport {
  readonly target: Target
  /** Element type, where one was asked for that is not float32. */
  readonly dtype?: Precision
  /** Relative paths. */
  readonly files: readonly string[]
  /** Bytes of the weights; null in a dry run of a graph. */
  readonly weightBytes: number | null
  readonly outputs: readonly string[]
}

export interface ConvertReport {
  /** False where verification said no; then nothing was written. */
  readonly ok: boolean
  readonly family: string
  readonly task: string
  readonly output: string
  readonly dryRun: boolean
  readonly artefacts: readonly ArtefactReport[]
  /** Distinct parameters of the source. */
  readonly parameters: number
  /** With `as`: how much larger the result is. */
  readonly growth: Growth | null
  /** Null where verification was switched off. */
  readonly verification: VerifyReport | null
  /** Of every form whose weights are not float32: how far its answers are those of float32. */
  readonly gate: readonly GateReport[]
  /** What a person should know about how the source was read, and about the result. */
  readonly notes: readonly string[]
}

/** What was written of one form, and what the gate said of it. */
export interface Written extends FormRequest {
  readonly artefact: WrittenArtefact
  readonly gate: GateReport | null
}

/** Options of one graph. */
export const graphOptions = (options: ConvertOptions, { target, precision }: FormRequest): ExportOptions => ({
  task: options.task ?? 'auto',
  allOutputs: options.allOutputs ?? false,
  precision,
  precisionOptions: { weightsOnly: options.weightsOnly ?? false, keepEmbeddings: options.keepEmbeddings ?? false },
  ...(target !== 'onnx' || options.opset === undefined ? {} : { opset: options.opset }),
  ...(target === 'onnx' && options.externalData === true ? { externalData: true } : {}),
  ...(target === 'onnx' && precision === 'f16' && options.halfCompute === true ? { halfCompute: true } : {}),
})
