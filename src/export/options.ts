import type { Precision } from '../base/artefact-layout.js'
import type { TensorSource } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import type { ResolvedTask, Task } from '../model/tasks.js'
import type { Translation } from '../model/rewrite/translation.js'
import type { WriteEvents } from './weights/artefact.js'
import type { PrecisionOptions } from './weights/encoding.js'

/** Files for programs that read the metadata of a model. */
export interface PackedFiles {
  /** Names of the classes; null if there are none. */
  readonly labels: readonly string[] | null
  /** Vocabulary of the tokenizer, or a file that only Hugging Face's tokenizers read; null if there is none. */
  readonly vocabulary: {
    readonly kind: 'wordpiece' | 'sentencepiece' | 'other'
    readonly name: string
    readonly bytes: Uint8Array
  } | null
}

/** Contents of a graph and their encoding. */
export interface ExportOptions extends WriteEvents {
  readonly task: Task
  /** True if `embedding_output` and every `hidden_state_<i>` are outputs as well. */
  readonly allOutputs: boolean
  /** Element type of the weights; float32 by default. */
  readonly precision?: Precision
  readonly precisionOptions?: PrecisionOptions
  /** ONNX: version of the operator set, 17 (the default) to 23. */
  readonly opset?: number
  /** ONNX: store weights in a separate file even if they fit into the model's. */
  readonly externalData?: boolean
  /** ONNX with `f16`: compute in float16 too, not only store. */
  readonly halfCompute?: boolean
  /** TensorFlow Lite: tokens of a row, by default 128 or as many as the model has positions; or given at run time. */
  readonly sequence?: number | 'dynamic'
  /** TensorFlow Lite: rows of one run, 1 by default; with a multiple-choice head the choices of one example. */
  readonly rows?: number
  /** TensorFlow Lite: put the weights into the flat buffer itself, for runtimes before TensorFlow 2.14. */
  readonly inline?: boolean
  /** TensorFlow Lite: files to pack behind the model. */
  readonly packed?: PackedFiles
}

/** Input of the writer of a graph target. */
export interface GraphRequest {
  readonly model: AlbertModel
  readonly source: TensorSource
  /** Output directory; the writer creates its own folder in it. */
  readonly directory: string
  readonly task: ResolvedTask
  readonly options: ExportOptions
  /** Metadata to write into the file, for readers of artefacts. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Input of the writer of a checkpoint target. */
export interface CheckpointRequest {
  readonly translation: Translation
  readonly source: TensorSource
  /** Output directory; the writer creates its own folder in it. */
  readonly directory: string
  readonly task: ResolvedTask
  /** Fields of the source's configuration to keep (`passedFields`). */
  readonly passed: Readonly<Record<string, unknown>>
  readonly events: WriteEvents
}
