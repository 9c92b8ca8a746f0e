/** What a person calls the operations of a transformer, in the order of their computation. */
export const OPERATIONS = [
  'embedding',
  'attention scores',
  'softmax',
  'context',
  'dense',
  'LayerNorm',
  'FFN',
  'head',
] as const
export type Operation = (typeof OPERATIONS)[number]

export interface Stage {
  /** Counts from 0, as the hidden states; −1 is the embeddings, null a head. */
  readonly layer: number | null
  readonly operation: Operation
}

/** The stage of an inner value by the end of its path; the first that matches. */
const STAGES: readonly (readonly [pattern: RegExp, operation: Operation])[] = [
  [/^encoder\/.*\/normed$|^embeddings\/normed$/, 'LayerNorm'],
  [/^embeddings\//, 'embedding'],
  [/^mapping\//, 'dense'],
  [/\/attention\/(query|key)\/|\/attention\/scores\//, 'attention scores'],
  [/\/attention\/probabilities$/, 'softmax'],
  [/\/attention\/(value|context)\//, 'context'],
  [/\/attention\//, 'dense'],
  [/\/ffn(_\d+)?\//, 'FFN'],
]

/**
 * Where in the model the inner value of this path (`model/inner-names.ts`) stands.
 * @param innerLayers how many layers the family counts in each `layer_<l>` of a path: its hidden states are so many
 */
export function stageOf(path: string, innerLayers = 1): Stage {
  const operation = STAGES.find(([pattern]) => pattern.test(path))?.[1] ?? 'head'
  const layer = /^encoder\/layer_(\d+)\/(?:inner_(\d+)\/)?/.exec(path)
  if (layer === null) return { layer: operation === 'head' ? null : -1, operation }
  const inner = innerLayers === 1 ? 0 : Number(layer[2] ?? 0)
  return { layer: Number(layer[1]) * innerLayers + inner, operation }
}
