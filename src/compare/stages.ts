/** Usual names of the operations of a transformer, in the order of computation. */
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
  /** Index from 0, like that of the hidden states; −1 for the embeddings, null for a head. */
  readonly layer: number | null
  readonly operation: Operation
}

/** Operation of an inner value by its path; the first match counts. */
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
 * Stage of the inner value with this path (`model/reference/inner-names.ts`).
 * @param innerLayers number of layers, each with a hidden state, in every `layer_<l>` of a path
 */
export function stageOf(path: string, innerLayers = 1): Stage {
  const operation = STAGES.find(([pattern]) => pattern.test(path))?.[1] ?? 'head'
  const layer = /^encoder\/layer_(\d+)\/(?:inner_(\d+)\/)?/.exec(path)
  if (layer === null) return { layer: operation === 'head' ? null : -1, operation }
  const inner = innerLayers === 1 ? 0 : Number(layer[2] ?? 0)
  return { layer: Number(layer[1]) * innerLayers + inner, operation }
}
