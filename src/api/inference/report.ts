import type { Pooling } from './text-model.js'

export interface DifferentLine {
  readonly line: number
  /** The label that the line itself gives, or null. */
  readonly label: string | null
  readonly first: string
  readonly second: string
  readonly text: string
}

export interface ModelComparison {
  readonly other: string
  readonly lines: number
  readonly different: readonly DifferentLine[]
}

/** How well a class is recognised. */
export interface ClassScore {
  readonly label: string
  /** Lines that have it. */
  readonly support: number
  /** Lines that were given it. */
  readonly predicted: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

export interface Mistake {
  readonly line: number
  readonly text: string
  readonly label: string
  readonly predicted: string
  /** Probability of what was predicted. */
  readonly probability: number
  readonly crossEntropy: number
}

export interface Evaluation {
  readonly lines: number
  readonly accuracy: number
  /** Mean cross-entropy over the lines, run_classifier's `eval_loss`. */
  readonly loss: number
  /** Mean over batches of eight, as run_classifier's `loss` is. */
  readonly batchLoss: number
  readonly labels: readonly string[]
  readonly classes: readonly ClassScore[]
  /** Rows: the label of the line; columns: what was predicted. */
  readonly confusion: readonly (readonly number[])[]
  /** Mistakes with the largest loss, and those that the model was surest of. */
  readonly worst: readonly Mistake[]
  readonly confident: readonly Mistake[]
  readonly warnings: readonly string[]
  readonly bad: number
}

/** What `evaluate` says of a model. */
export interface EvaluationReport extends Evaluation {
  /** What the file or its folder has and the model leaves out. */
  readonly notes: readonly string[]
  /** What ran the model. */
  readonly runner: string
  /** `global_step` of a checkpoint, or null. */
  readonly globalStep: number | null
  readonly comparison?: ModelComparison
}

/** What was done with a file of lines. */
export interface TextFileReport {
  /** The file that was written, or null where the lines went elsewhere. */
  readonly output: string | null
  /** Lines that were answered, and lines that could not be used. */
  readonly lines: number
  readonly bad: number
  /** Where those are. */
  readonly errors: string | null
  /** What ran the model. */
  readonly runner: string
  /** What the file or its folder has and the model leaves out. */
  readonly notes: readonly string[]
  /** Number of the line at which an interrupted run was taken up, or null. */
  readonly resumedAt: number | null
}

export interface Similarity {
  readonly texts: readonly [string, string]
  readonly pooling: Pooling
  readonly cosine: number
}

/** What a model says of single texts: words for masks, the order of two sentences, vectors. */
export interface MaskCandidate {
  readonly token: string
  readonly id: number
  readonly probability: number
}

export interface FilledMask {
  /** Which token of the input it is, `[CLS]` being 0. */
  readonly position: number
  readonly candidates: readonly MaskCandidate[]
}

export interface SentenceOrder {
  /** The texts stand in their order (BERT: the second follows the first). */
  readonly inOrder: boolean
  /** Probability of that, and of the contrary. */
  readonly probabilities: { readonly inOrder: number; readonly swapped: number }
}
