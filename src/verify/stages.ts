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
  /** Counts from 0; −1 is the embeddings, null a head. */
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

/** Where in the model the inner value of this path (`model/inner-names.ts`) stands. */
export function stageOf(path: string): Stage {
  const operation = STAGES.find(([pattern]) => pattern.test(path))?.[1] ?? 'head'
  const layer = /^encoder\/layer_(\d+)\//.exec(path)
  if (layer !== null) return { layer: Number(layer[1]), operation }
  return { layer: operation === 'head' ? null : -1, operation }
}
