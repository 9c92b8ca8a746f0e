/** Tokens of a line. */
export interface TokenizedLine {
  readonly tokens: readonly string[]
  readonly ids: readonly number[]
  /** `[start, end)` of each token in characters (Unicode code points); null for a special token. */
  readonly offsets: readonly (readonly [number, number] | null)[]
}

/** Result of writing examples as features. */
export interface RecordsReport {
  readonly file: string
  readonly records: number
  readonly maxSeqLength: number
  /** Number of lines that could not be used. */
  readonly bad: number
}

/** Record of features with its tokens, without padding, and the name of its label. */
export interface TokenizedRecord {
  readonly tokens: readonly string[]
  readonly input_ids: readonly number[]
  readonly input_mask: readonly number[]
  readonly segment_ids: readonly number[]
  readonly label_id: number | null
  readonly label: string | null
  readonly is_real_example: boolean
}
