import {
  CHECKPOINT_LAYOUTS,
  GRAPH_LAYOUTS,
  type CheckpointLayout,
  type CheckpointTarget,
  type GraphLayout,
  type GraphTarget,
  type Precision,
  type Target,
} from '../base/artefact-layout.js'
import { tfjsMetadata } from '../formats/tfjs/metadata.js'
import type { FilePort } from '../formats/core/file-port.js'
import type { TensorSource } from '../formats/core/source.js'
import { onnxGraphNames, openOnnxWeights } from '../formats/onnx/source.js'
import { openTfjsWeights } from '../formats/tfjs/source.js'
import { openTfliteWeights, tfliteGraphNames, tfliteHead, tfliteLength } from '../formats/tflite/source.js'
import { dequantised } from '../formats/views/dequantised.js'
import type { Translation } from '../model/rewrite/translation.js'
import { exportSafetensors } from './checkpoint/safetensors.js'
import { exportTf, tfFiles } from './checkpoint/tf.js'
import { exportOnnx } from './onnx/export.js'
import { OPSETS } from './onnx/write.js'
import type { CheckpointRequest, GraphRequest } from './options.js'
import { exportTfjs } from './tfjs/export.js'
import { exportTflite } from './tflite/export.js'
import type { WrittenArtefact } from './weights/artefact.js'

/** Options that some targets take and others do not, by their names in `ConvertOptions` and `ExportOptions`. */
export type TargetOptionName =
  | 'opset'
  | 'externalData'
  | 'halfCompute'
  | 'weightsOnly'
  | 'keepEmbeddings'
  | 'targetArchitecture'
  | 'sequence'
  | 'rows'
  | 'inline'
  | 'packed'

/** An option of a target. */
export interface TargetOption {
  readonly name: TargetOptionName
  /** Precisions that it goes with; all if left out. */
  readonly precisions?: readonly Precision[]
  /** Values that it may have; any if left out. */
  readonly values?: readonly (string | number | boolean)[]
  /** True if no target without this option may be written next to it. */
  readonly alone?: boolean
}

export interface GraphTargetInfo extends GraphLayout {
  readonly name: GraphTarget
  readonly options: readonly TargetOption[]
  /** Writes the graph. @throws AlbertkitError `output`, or `malformed` from the source */
  readonly write: (request: GraphRequest) => Promise<WrittenArtefact>
  /** Opens the weights of a file by slot; quantised ones as float32. @throws AlbertkitError `malformed` */
  readonly openWeights: (files: FilePort, file: string) => TensorSource
  /** Reads the metadata that `write` stored; empty for files of other programs. @throws AlbertkitError `malformed` */
  readonly metadata: (files: FilePort, file: string) => ReadonlyMap<string, string>
  /** Reads names of values that a runtime must be told to return; null if it can return every value by itself. */
  readonly valuesIn: ((files: FilePort, file: string) => GraphValues) | null
  /** Reads the fixed number of tokens of a row, if a file has one. @throws AlbertkitError `malformed` */
  readonly lengthOf?: (files: FilePort, file: string) => number | null
}

/** Names of the values of a graph. */
export interface GraphValues {
  readonly values: readonly string[]
  readonly outputs: readonly string[]
  readonly metadata: ReadonlyMap<string, string>
}

export interface CheckpointTargetInfo extends CheckpointLayout {
  readonly name: CheckpointTarget
  readonly options: readonly TargetOption[]
  /** Writes the tensors and, if it belongs there, the configuration. @throws AlbertkitError `output`, `malformed` */
  readonly write: (request: CheckpointRequest) => Promise<WrittenArtefact>
  /** Paths of the files that `write` creates, relative to the output directory. */
  readonly plannedFiles: (translation: Translation) => readonly string[]
}

export type TargetInfo = GraphTargetInfo | CheckpointTargetInfo

const GRAPHS: Readonly<Record<GraphTarget, GraphTargetInfo>> = {
  tfjs: {
    name: 'tfjs',
    ...GRAPH_LAYOUTS.tfjs,
    options: [{ name: 'keepEmbeddings', precisions: ['uint16', 'uint8'] }],
    write: exportTfjs,
    openWeights: openTfjsWeights,
    metadata: tfjsMetadata,
    valuesIn: null,
  },
  onnx: {
    name: 'onnx',
    ...GRAPH_LAYOUTS.onnx,
    options: [
      { name: 'opset', values: OPSETS },
      { name: 'externalData' },
      { name: 'halfCompute', precisions: ['f16'] },
      { name: 'weightsOnly', precisions: ['int8'] },
      { name: 'keepEmbeddings', precisions: ['int8', 'int4'] },
    ],
    write: exportOnnx,
    openWeights: (files, file) => dequantised(openOnnxWeights(files, file)),
    metadata: (files, file) => onnxGraphNames(files, file).metadata,
    valuesIn: onnxGraphNames,
  },
  tflite: {
    name: 'tflite',
    ...GRAPH_LAYOUTS.tflite,
    options: [
      { name: 'sequence' },
      { name: 'rows' },
      { name: 'inline' },
      { name: 'packed' },
      { name: 'weightsOnly', precisions: ['int8', 'int4'] },
      { name: 'keepEmbeddings', precisions: ['int8', 'int4'] },
    ],
    write: exportTflite,
    openWeights: openTfliteWeights,
    metadata: (files, file) => tfliteHead(files, file).metadata,
    valuesIn: tfliteGraphNames,
    lengthOf: tfliteLength,
  },
}

const CHECKPOINTS: Readonly<Record<CheckpointTarget, CheckpointTargetInfo>> = {
  safetensors: {
    name: 'safetensors',
    ...CHECKPOINT_LAYOUTS.safetensors,
    options: [{ name: 'targetArchitecture', alone: true }],
    write: exportSafetensors,
    plannedFiles: () => [CHECKPOINT_LAYOUTS.safetensors.file],
  },
  tf: {
    name: 'tf',
    ...CHECKPOINT_LAYOUTS.tf,
    options: [],
    write: exportTf,
    plannedFiles: (translation) => tfFiles(translation).map((name) => `${CHECKPOINT_LAYOUTS.tf.folder}/${name}`),
  },
}

/** All formats that a model can be written in. To add one, see "Adding a target" in docs/architecture.md. */
export const TARGETS: readonly TargetInfo[] = [...Object.values(GRAPHS), ...Object.values(CHECKPOINTS)]
export const GRAPH_TARGET_INFOS: readonly GraphTargetInfo[] = Object.values(GRAPHS)

export const graphTarget = (name: GraphTarget): GraphTargetInfo => GRAPHS[name]
export const checkpointTarget = (name: CheckpointTarget): CheckpointTargetInfo => CHECKPOINTS[name]
export const targetInfo = (name: Target): TargetInfo => ({ ...GRAPHS, ...CHECKPOINTS })[name]

/** True if an option has an effect on a target at a precision. */
export const takesOption = (target: TargetInfo, precision: Precision, name: TargetOptionName): boolean =>
  target.options.some((option) => option.name === name && (option.precisions?.includes(precision) ?? true))
