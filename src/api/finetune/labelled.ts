import type { Features } from '../../text/data/features.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import type { TextJob } from '../inference/job.js'
import type { InputLimits } from '../inference/text-model.js'
import type { TrainTask } from './train-tasks.js'

/** An example of a file: its inputs and its label as it is written there. */
export interface LabelledExample {
  readonly line: number
  /** The text, for comparison of files. */
  readonly text: string
  readonly features: Features
  /** Label of the text; several for classes that do not exclude each other; one a token, null if it does not count. */
  readonly labels: readonly (string | null)[]
  /** Positions of the first and the last token of an answer in the input. */
  readonly span?: readonly [start: number, end: number]
}

/** Options for reading a file of examples. */
export interface ReadOptions {
  readonly task: TrainTask
  readonly tokenizer: Tokenizer
  readonly limits: InputLimits
  readonly maxLength: number
  /** Class names that the caller or the model gives; null if there are none. */
  readonly known: readonly string[] | null
  /** Input format and columns, as for `predict`. */
  readonly job: Omit<TextJob, 'input'>
}
