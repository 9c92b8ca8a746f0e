export interface DifferentLine {
  readonly line: number
  /** Label given in the line, or null. */
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

/** Scores of one class. */
export interface ClassScore {
  readonly label: string
  /** Number of lines with this label. */
  readonly support: number
  /** Number of lines predicted as this class. */
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
  /** Probability of the predicted label. */
  readonly probability: number
  readonly crossEntropy: number
}

export interface Evaluation {
  readonly lines: number
  readonly accuracy: number
  /** Mean cross-entropy over the lines; run_classifier's `eval_loss`. */
  readonly loss: number
  /** Mean over batches of eight; run_classifier's `loss`. */
  readonly batchLoss: number
  readonly labels: readonly string[]
  readonly classes: readonly ClassScore[]
  /** Confusion matrix: rows are labels of lines, columns predicted labels. */
  readonly confusion: readonly (readonly number[])[]
  /** Mistakes with the largest loss or the highest confidence. */
  readonly worst: readonly Mistake[]
  readonly confident: readonly Mistake[]
  readonly warnings: readonly string[]
  readonly bad: number
}

export type Score = Pick<ClassScore, 'precision' | 'recall' | 'f1'>

/** Scores of a classifier of several labels at once, with a threshold of 0.5. */
export interface MultiLabelScores {
  readonly lines: number
  /** Fraction of the lines with all labels right. */
  readonly exactMatch: number
  readonly micro: Score
  readonly macro: Score
  readonly labels: readonly string[]
  readonly classes: readonly ClassScore[]
  readonly bad: number
}

/** Scores of a regression: correlations with the numbers of the lines, mean squared and absolute difference. */
export interface RegressionScores {
  readonly lines: number
  readonly pearson: number
  readonly spearman: number
  readonly mse: number
  readonly mae: number
  readonly bad: number
}

/** Scores of tags of words; `loss` is the mean cross-entropy over words with tags that the model knows. */
export interface TagScores {
  readonly sentences: number
  readonly words: number
  /** Fraction of the words with the right tag. */
  readonly accuracy: number
  readonly loss: number
  /** Scores of spans, all together, as the mean over the types, and by type; null if the tags are not those of spans. */
  readonly spans: { readonly micro: Score; readonly macro: Score; readonly types: readonly ClassScore[] } | null
  /** Words without a tag because their sentence was truncated. */
  readonly truncatedWords: number
  readonly bad: number
}

/** Scores of answers over a number of questions, as SQuAD's evaluation computes them. */
export interface AnswerScore {
  readonly questions: number
  /** Fraction of the answers that equal a right one. */
  readonly exactMatch: number
  /** Mean F1 of the words shared with the best right answer. */
  readonly f1: number
}

/** Scores of answers to all questions, and to those with and without a right answer. */
export interface AnswerScores extends AnswerScore {
  readonly withAnswer: AnswerScore
  readonly withoutAnswer: AnswerScore
  readonly bad: number
}

/** Result of `evaluateFile` for a model that does not give each text one class. */
export type OtherEvaluationReport = (MultiLabelScores | RegressionScores | TagScores | AnswerScores) & {
  /** Contents of the file or its folder that the model does not use. */
  readonly notes: readonly string[]
  /** Runtime that ran the model. */
  readonly runner: string
  /** Scores below those that were asked for; absent if none were. */
  readonly missed?: readonly string[]
}

/** Result of `evaluateFile`. */
export interface EvaluationReport extends Evaluation {
  /** Contents of the file or its folder that the model does not use. */
  readonly notes: readonly string[]
  /** Runtime that ran the model. */
  readonly runner: string
  /** `global_step` of a checkpoint, or null. */
  readonly globalStep: number | null
  readonly comparison?: ModelComparison
  /** Scores below those that were asked for; absent if none were. */
  readonly missed?: readonly string[]
}

/** Result of running a model on a file of lines. */
export interface TextFileReport {
  /** Path of the output; null if the lines went to a callback. */
  readonly output: string | null
  /** Number of lines that were answered, and of unusable lines: of a resumed run, with those from before. */
  readonly lines: number
  readonly bad: number
  /** Path of the file of unusable lines, or null. */
  readonly errors: string | null
  /** Runtime that ran the model. */
  readonly runner: string
  /** Contents of the file or its folder that the model does not use. */
  readonly notes: readonly string[]
  /** Number of the line at which an interrupted run was resumed, or null. */
  readonly resumedAt: number | null
}

/** Result of `embedFile`. */
export interface EmbedFileReport extends TextFileReport {
  /** Modules that turn hidden states into a vector, in order: `Pooling mean`, `Dense 768 → 256, Tanh`, `Normalize`. */
  readonly steps: readonly string[]
}

export interface Similarity {
  readonly texts: readonly [string, string]
  /** Modules that turn hidden states into a vector, in order. */
  readonly steps: readonly string[]
  readonly cosine: number
}

/** Candidate token for a mask. */
export interface MaskCandidate {
  readonly token: string
  readonly id: number
  readonly probability: number
}

export interface FilledMask {
  /** Index of the mask among the tokens; `[CLS]` is 0. */
  readonly position: number
  readonly candidates: readonly MaskCandidate[]
}

export interface SentenceOrder {
  /** True if the texts are in their original order (BERT: if the second follows the first). */
  readonly inOrder: boolean
  /** Probabilities of both orders. */
  readonly probabilities: { readonly inOrder: number; readonly swapped: number }
}
