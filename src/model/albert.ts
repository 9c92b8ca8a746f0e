import type { DType } from '../formats/core/source.js'
import type { ModelConfig } from './config.js'
import type { ClassifierKind } from './tasks.js'

/**
 * The typed tree of a model's parameters. Sharing is identity: two layers that share a kernel hold the same
 * `Parameter` object, so "stored once" needs no further bookkeeping.
 */

/** Relation of a stored matrix to the logical one of the forward pass. */
export type Layout =
  /** Stored in the logical order. */
  | 'as_is'
  /** Stored `[out, in]`, logical `[in, out]` (PyTorch's `weight`). */
  | 'transposed'
  /**
   * A feed-forward kernel of google_fast: stored `[in/16, out/16, 16]`, logical `[16, in/16, out/16]`, one small kernel a
   * group. Group g takes the input channels `h·16 + g` and gives the output channels from `g·out/16` on.
   */
  | 'grouped'

export interface Parameter {
  /** Semantic slot: the name of this parameter in every artefact, e.g. `encoder/shared/attention/query/kernel`. */
  readonly slot: string
  /** Name of the variable in the source. */
  readonly variable: string
  /** Logical shape: that of the forward pass (a kernel is `[in, out]`). */
  readonly shape: readonly number[]
  /** Shape as stored in the source; the two axes of attention heads, if a file has them, are taken as one. */
  readonly storedShape: readonly number[]
  readonly layout: Layout
  /** Element type in the source. */
  readonly dtype: DType
}

/** `x·kernel + bias`, kernel `[in, out]`, or `[groups, in/groups, out/groups]` (layout `grouped`). */
export interface Dense {
  readonly kernel: Parameter
  readonly bias: Parameter | null
}

export interface LayerNorm {
  readonly gamma: Parameter
  readonly beta: Parameter
}

/** One inner layer: attention then feed-forward, each with its LayerNorm. */
export interface Block {
  readonly query: Dense
  readonly key: Dense
  readonly value: Dense
  readonly attentionOutput: Dense
  readonly attentionNorm: LayerNorm
  readonly intermediate: Dense
  readonly output: Dense
  readonly outputNorm: LayerNorm
}

export interface Embeddings {
  /** `[V, E]` */
  readonly word: Parameter
  /** zh only: `word_embeddings_2 [E, H]`, applied right after the lookup, without bias. */
  readonly factor: Parameter | null
  /** `[P, E]` (zh, bert: `[P, H]`) */
  readonly position: Parameter
  /** `[T, E]` (zh, bert: `[T, H]`) */
  readonly tokenType: Parameter
  readonly norm: LayerNorm
  /** google, hf: `embedding_hidden_mapping_in`, after the LayerNorm. */
  readonly mapping: Dense | null
}

export interface MlmHead {
  readonly transform: Dense
  readonly norm: LayerNorm
  /** `[V]` */
  readonly bias: Parameter
  /** hf: `[V, E]` of a decoder that is not tied to the word embeddings. */
  readonly decoder: Parameter | null
}

/** A head whose weight is stored `[n, H]` and used as `x·Wᵀ + b`. */
export interface OutputHead {
  /** `[n, H]` */
  readonly weight: Parameter
  /** `[n]` */
  readonly bias: Parameter
}

/** Sentence order or next sentence, two classes of the pooled sequence. */
export interface SopHead extends OutputHead {
  /** tf-models: a separate pooler, besides that of the encoder. */
  readonly pooler: Dense | null
}

export interface ClassifierHead extends OutputHead {
  readonly kind: ClassifierKind
  /** zh pre-LN only: an extra LayerNorm on the pooled output. */
  readonly norm: LayerNorm | null
  /** tf-models: a separate pooler, besides that of the encoder. */
  readonly pooler: Dense | null
}

export interface AlbertModel {
  readonly config: ModelConfig
  readonly embeddings: Embeddings
  /** `layers[l][j]`: inner layer j of layer l. */
  readonly layers: readonly (readonly Block[])[]
  readonly pooler: Dense | null
  readonly mlm: MlmHead | null
  readonly sop: SopHead | null
  readonly classifier: ClassifierHead | null
  /** Question answering: row 0 of its weight gives the start logits, row 1 the end logits. */
  readonly qa: OutputHead | null
}
