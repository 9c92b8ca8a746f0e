import type { Abortable } from '../../base/abort.js'
import type { Precision, Target } from '../../base/artefact-layout.js'
import { usage } from '../../base/errors.js'
import { checkTargetOptions } from '../../export/check-options.js'
import type { Architecture } from '../../model/rewrite/translation.js'
import type { OpenModelOptions } from '../open/open.js'
import type { ArtefactSpec } from './specs.js'

export interface ConvertOptions extends Abortable, OpenModelOptions {
  /** Vocabulary, a file or a folder, instead of the one beside the model. */
  readonly vocabulary?: string
  /** Targets to write. */
  readonly targets: readonly Target[]
  /** Bring the model into this architecture by multiplying out and copying; with the target `safetensors` alone. */
  readonly targetArchitecture?: Architecture
  /** Write `embedding_output` and every `hidden_state_<i>` as outputs too. */
  readonly allOutputs?: boolean
  /**
   * Element types of the weights: several for a target with a file for each, one for the others. By default float32
   * alone, and in a checkpoint the source's own.
   */
  readonly dtypes?: readonly Precision[]
  /** ONNX: version of the operator set. */
  readonly opset?: number
  /** ONNX: weights in a file of their own, whatever their size. */
  readonly externalData?: boolean
  /** ONNX f16: compute in float16 too. */
  readonly halfCompute?: boolean
  /** int8: quantise weights alone, not the activations they are multiplied with. */
  readonly weightsOnly?: boolean
  /** int8, uint8, uint16: leave embedding tables in float32. */
  readonly keepEmbeddings?: boolean
  /** Least part of answers that rounded weights must leave as they are, 0 to 1; 0 switches the gate off. Default 0.99. */
  readonly minAgreement?: number
  /**
   * Path of lines of text to judge that on, labelled ones for a classifier (format by the name: .tsv, .csv, .jsonl,
   * else lines). By default built-in sentences if the model's vocabulary knows them, else random tokens.
   */
  readonly gateInputs?: string
  /** Verify what was written before it appears; default true. */
  readonly verify?: boolean
  /** Absolute bound of the verification instead of the usual ones. */
  readonly atol?: number
  /** Replace the named targets in an existing directory. */
  readonly force?: boolean
  /** Say what would be written and write nothing. */
  readonly dryRun?: boolean
  readonly onProgress?: (what: string) => void
}

/** @throws AlbertkitError `usage` if an option is for a target or an element type that is not asked for */
export function checkOptions(specs: readonly ArtefactSpec[], options: ConvertOptions): void {
  const {
    opset,
    externalData,
    halfCompute,
    weightsOnly,
    keepEmbeddings,
    gateInputs,
    targetArchitecture,
    minAgreement,
    verify,
  } = options
  checkTargetOptions(specs, { targetArchitecture, opset, externalData, halfCompute, weightsOnly, keepEmbeddings })
  if (gateInputs === undefined) return
  if (specs.every(({ precision }) => precision === 'f32'))
    throw usage('`gateInputs` is for weights that are rounded: `dtypes` other than f32', { code: 'option-conflict' })
  if (minAgreement === 0 || verify === false)
    throw usage('`gateInputs` names lines to judge on, but the gate is switched off', { code: 'option-conflict' })
}
