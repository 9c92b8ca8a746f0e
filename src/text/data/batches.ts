import type { Features } from './features.js'

/** Rows of a batch, padded to the longest one: shape [rows, sequence], row-major. */
export interface Batch {
  /** Index of each row in the input of `makeBatches`. */
  readonly rowIndices: readonly number[]
  readonly sequence: number
  readonly input_ids: Int32Array
  readonly attention_mask: Int32Array
  readonly token_type_ids: Int32Array
}

/** Rows at `places` as one batch. */
export function padBatch(rows: readonly Features[], places: readonly number[]): Batch {
  const sequence = Math.max(...places.map((place) => rows[place]!.input_ids.length))
  const size = places.length * sequence
  const batch = {
    rowIndices: places,
    sequence,
    input_ids: new Int32Array(size),
    attention_mask: new Int32Array(size),
    token_type_ids: new Int32Array(size),
  }
  places.forEach((place, row) => {
    const { input_ids, token_type_ids, attention_mask } = rows[place]!
    const at = row * sequence
    batch.input_ids.set(input_ids, at)
    if (attention_mask === undefined) batch.attention_mask.fill(1, at, at + input_ids.length)
    else batch.attention_mask.set(attention_mask, at)
    batch.token_type_ids.set(token_type_ids, at)
  })
  return batch
}

/**
 * Batches of rows of similar length, so that little is computed for padding. The same rows give the same batches.
 * @param size largest number of rows in a batch
 */
export function makeBatches(rows: readonly Features[], size: number): Batch[] {
  const order = rows.map((_, place) => place)
  order.sort((a, b) => rows[a]!.input_ids.length - rows[b]!.input_ids.length || a - b)
  const batches: Batch[] = []
  for (let at = 0; at < order.length; at += size) batches.push(padBatch(rows, order.slice(at, at + size)))
  return batches
}
