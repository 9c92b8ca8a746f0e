/** Sizes that the inputs of a model must stay below: token ids, token types, and positions. */
export interface InputLimits {
  readonly vocabulary: number
  readonly segments: number
  readonly positions: number
}
