import type { GraphTarget, Precision } from '../../base/artefact-layout.js'
import type { HeadMeans, LayerMeans } from '../../model/reference/trace.js'
import type { ClassReading } from '../../model/problem-type.js'
import type { FilledMask, SentenceOrder } from '../inference/report.js'
import type { TextRunner } from '../inference/runners.js'
import type { TaggedSpan, TaggedToken } from '../inference/tags/predict-tags.js'

/** Tasks that a page shows, in the order of its tabs. */
export const PAGE_TASKS = ['classify', 'token-classification', 'qa', 'mlm', 'sop', 'features'] as const
export type PageTask = (typeof PAGE_TASKS)[number]

/** File of a model and a runtime that runs it. */
export interface Runnable {
  readonly runner: TextRunner
  readonly target: GraphTarget
  readonly precision: Precision
  /** Path of the file below the folder; null if the model is converted when it is first used. */
  readonly file: string | null
  /** Bytes of the file with its weights; null if it is not written yet. */
  readonly bytes: number | null
}

/** What can be done with the artefacts of a folder. */
export interface ArtefactsReport {
  readonly family: string
  readonly architecture: string
  readonly layers: number
  readonly heads: number
  readonly hidden: number
  readonly positions: number
  /** False if the model takes one text alone. */
  readonly takesPairs: boolean
  readonly tasks: readonly PageTask[]
  readonly labels: readonly string[] | null
  readonly runnables: readonly Runnable[]
  /** Sentences of the languages that the vocabulary covers. */
  readonly examples: readonly string[]
  readonly notes: readonly string[]
}

/** Text that is asked about. */
export interface TextRequest {
  readonly task: PageTask
  readonly text: string
  /** Second text of a pair; the passage of a question; the text that vectors are compared with. */
  readonly textB?: string | null
}

/** Token of the input of a model. */
export interface InputToken {
  readonly token: string
  readonly id: number
  /** Segment of the input: 1 for the second text. */
  readonly segment: number
  /** Characters `[start, end)` of its text, as Unicode code points; null for a special token. */
  readonly offset: readonly [start: number, end: number] | null
}

export interface ClassAnswer {
  readonly kind: 'classes'
  readonly reading: ClassReading
  /** Label of the largest logit. */
  readonly label: string
  readonly labels: readonly string[]
  /** In the order of the labels; values if `reading` is `value`. */
  readonly probabilities: readonly number[]
}

export interface TagAnswer {
  readonly kind: 'tags'
  readonly tokens: readonly TaggedToken[]
  /** Null if the tags are not those of spans. */
  readonly spans: readonly TaggedSpan[] | null
}

export interface SpanAnswer {
  readonly kind: 'span'
  /** Empty if there is no answer. */
  readonly answer: string
  readonly start: number
  readonly end: number
  readonly probability: number
}

export interface MaskAnswer {
  readonly kind: 'masks'
  readonly masks: readonly FilledMask[]
}

export interface OrderAnswer extends SentenceOrder {
  readonly kind: 'order'
}

export interface VectorAnswer {
  readonly kind: 'vectors'
  /** Steps from hidden states to a vector, in words. */
  readonly steps: readonly string[]
  /** Texts, one a line of the request. */
  readonly texts: readonly string[]
  readonly size: number
  /** Cosines of every two texts, a row for each. */
  readonly cosines: readonly (readonly number[])[]
}

export type TextAnswer = ClassAnswer | TagAnswer | SpanAnswer | MaskAnswer | OrderAnswer | VectorAnswer

/** Attention of all heads of an inner layer. */
export interface AttentionOfLayer {
  /** As in `LayerMeans` and `HeadMeans`. */
  readonly layer: number
  readonly inner: number
  /** Probabilities `[heads, S, S]`: how much each token (row) takes from each (column). */
  readonly probabilities: Float32Array
}

/** What the layers and attention heads of a model do to one text. */
export interface TextLayers {
  readonly tokens: readonly InputToken[]
  readonly isCut: boolean
  readonly layers: readonly LayerMeans[]
  readonly heads: readonly HeadMeans[]
  readonly attention: readonly AttentionOfLayer[]
}

/** Answer of a model in one runtime to one text. */
export interface TextReading {
  readonly task: PageTask
  /** Runtime, its package and device. */
  readonly runner: string
  readonly detail: string
  readonly answer: TextAnswer
  readonly tokens: readonly InputToken[]
  /** True if the text was longer than the model takes. */
  readonly isCut: boolean
  /** Time of the runtime for this text. */
  readonly milliseconds: number
  /** Time that opening the model took, checks and conversion included; 0 if it was open. */
  readonly openMilliseconds: number
  /** Outputs that the answer was read from, to compare runtimes by. */
  readonly values: Float32Array
}
