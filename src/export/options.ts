import type { Precision } from '../base/artefact-layout.js'
import type { TensorSource } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import type { ResolvedTask, Task } from '../model/tasks.js'
import type { Translation } from '../model/rewrite/translation.js'
import type { WriteEvents } from './weights/artefact.js'
import type { PrecisionOptions } from './weights/encoding.js'

/** What a graph is to hold, and how. */
export interface ExportOptions extends WriteEvents {
  readonly task: Task
  /** True if `embedding_output` and every `hidden_state_<i>` are outputs as well. */
  readonly allOutputs: boolean
  /** How the weights are stored; float32 by default. */
  readonly precision?: Precision
  readonly precisionOptions?: PrecisionOptions
  /** ONNX: version of the operator set, 17 (the default) to 23. */
  readonly opset?: number
  /** ONNX: weights in a file of their own, whatever their size. */
  readonly externalData?: boolean
  /** ONNX with `f16`: compute in float16 too, not only store. */
  readonly halfCompute?: boolean
}

/** What the writer of a graph target is given. */
export interface GraphRequest {
  readonly model: AlbertModel
  readonly source: TensorSource
  /** The output directory; the writer makes its own folder in it. */
  readonly directory: string
  readonly task: ResolvedTask
  readonly options: ExportOptions
  /** Written into the file, for readers of artefacts. */
  readonly metadata: Readonly<Record<string, string>>
}

/** What the writer of a checkpoint target is given. */
export interface CheckpointRequest {
  readonly translation: Translation
  readonly source: TensorSource
  /** The output directory; the writer makes its own folder in it. */
  readonly directory: string
  readonly task: ResolvedTask
  /** Fields of the source's configuration to keep (`passedFields`). */
  readonly passed: Readonly<Record<string, unknown>>
  readonly events: WriteEvents
}
