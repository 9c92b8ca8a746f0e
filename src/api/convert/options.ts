import { type Abortable, type OnProgress } from '../../base/abort.js'
import type { Precision } from '../../base/artefact-layout.js'
import type { TargetChoice } from '../../base/target-choice.js'
import { usage } from '../../base/errors.js'
import { checkTargetOptions } from '../../export/check-options.js'
import type { Architecture } from '../../model/rewrite/translation.js'
import type { OpenModelOptions } from '../open/open.js'
import type { ArtefactSpec } from './specs.js'

export interface ConvertOptions extends Abortable, OpenModelOptions {
  /** Vocabulary, a file or a folder, instead of the one next to the model. */
  readonly vocabulary?: string
  /** Targets to write, each with optional element types: `tfjs`, `onnx:f32,f16,int8`. */
  readonly targets: readonly TargetChoice[]
  /** Translate the model into this architecture by multiplying out and copying; target `safetensors` only. */
  readonly targetArchitecture?: Architecture
  /** Write `embedding_output` and every `hidden_state_<i>` as outputs too. */
  readonly allOutputs?: boolean
  /**
   * Element types of the weights of targets that name none: several for a target with a file for each, one for the
   * others. By default float32 alone, and in a checkpoint the source's own.
   */
  readonly dtypes?: readonly Precision[]
  /** ONNX: opset version. */
  readonly opset?: number
  /** ONNX: weights in a separate file even if they fit into the model's. */
  readonly externalData?: boolean
  /** ONNX f16: compute in float16 too. */
  readonly halfCompute?: boolean
  /** TensorFlow Lite: tokens of a row, by default 128 or as many as the model has positions; or given at run time. */
  readonly sequence?: number | 'dynamic'
  /** TensorFlow Lite: rows of one run, 1 by default; with a multiple-choice head the choices of one example. */
  readonly rows?: number
  /** TensorFlow Lite: put the weights into the flat buffer itself, for runtimes before TensorFlow 2.14. */
  readonly inline?: boolean
  /** int8, int4: quantise only weights, not activations. */
  readonly weightsOnly?: boolean
  /** int8, int4, uint8, uint16: leave embedding tables in float32. */
  readonly keepEmbeddings?: boolean
  /**
   * Least fraction of predictions, 0 to 1, that reduced-precision weights must leave unchanged; 0 disables the gate.
   * Default 0.99.
   */
  readonly minAgreement?: number
  /**
   * Path of texts for that comparison, labelled for a classifier (format by extension: .tsv, .csv, .jsonl, else lines).
   * By default built-in sentences if the model's vocabulary covers them, else random tokens.
   */
  readonly gateInputs?: string
  /** Write a model card (README.md): labels, files, precisions, parity. What a user wrote into one stays. */
  readonly card?: boolean
  /** Write a page that tries the artefacts in a browser, into the folder `demo`, with the runtimes that it needs. */
  readonly demo?: boolean
  /** Verify the artefacts before they appear; default true. */
  readonly verify?: boolean
  /** Absolute tolerance of the verification instead of the default ones. */
  readonly atol?: number
  /** Replace the named targets in an existing directory. */
  readonly force?: boolean
  /** Report what would be written, and write nothing. */
  readonly dryRun?: boolean
  readonly onProgress?: OnProgress
}

/** Checks options. @throws AlbertkitError `usage` if one is for a target or an element type that is not requested */
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
    sequence,
    rows,
    inline,
  } = options
  const given = {
    targetArchitecture,
    opset,
    externalData,
    halfCompute,
    weightsOnly,
    keepEmbeddings,
    sequence,
    rows,
    inline,
  }
  checkTargetOptions(specs, given)
  if (gateInputs === undefined) return
  if (specs.every(({ precision }) => precision === 'f32'))
    throw usage('`gateInputs` requires `dtypes` other than f32', { code: 'option-conflict' })
  if (minAgreement === 0 || verify === false)
    throw usage('`gateInputs` has no effect: the gate is switched off', { code: 'option-conflict' })
}
