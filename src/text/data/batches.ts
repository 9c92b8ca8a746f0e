import type { Features } from './features.js'

/** Rows of a batch, padded to the longest one: shape [rows, sequence], row-major. */
export interface Batch {
  /** Index of each row among those that were batched. */
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

/** Indices of rows, the shortest first. */
function byLength(rows: readonly Features[]): number[] {
  const order = rows.map((_, place) => place)
  return order.sort((a, b) => rows[a]!.input_ids.length - rows[b]!.input_ids.length || a - b)
}

/**
 * Batches of rows of similar length, all but the last of `size` rows. The same rows give the same batches.
 */
export function makeBatches(rows: readonly Features[], size: number): Batch[] {
  const order = byLength(rows)
  const batches: Batch[] = []
  for (let at = 0; at < order.length; at += size) batches.push(padBatch(rows, order.slice(at, at + size)))
  return batches
}

/** Cost of one batch more, in tokens of padding: a call of the runtime takes as long as some 16 tokens do. */
const BATCH_COST = 16

/** Limits of a batch; a single row may have more tokens. */
interface BatchLimits {
  readonly rows: number
  /** Tokens of all rows together, with padding. */
  readonly tokens: number
}

/** Starts of the batches of rows with these lengths, ascending, for which padding and the number of batches cost least. */
function cheapestCuts(lengths: readonly number[], { rows, tokens }: BatchLimits): number[] {
  // Least cost of the first `end` rows, and the start of their last batch.
  const costs = [0]
  const starts = [0]
  lengths.forEach((length, last) => {
    let [least, best] = [Infinity, last]
    const size = Math.max(1, Math.min(rows, Math.floor(tokens / length)))
    for (let start = last; start >= 0 && start > last - size; start--) {
      const cost = costs[start]! + (last + 1 - start) * length + BATCH_COST
      if (cost < least) [least, best] = [cost, start]
    }
    costs.push(least)
    starts.push(best)
  })
  const cuts: number[] = []
  for (let end = lengths.length; end > 0; end = starts[end]!) cuts.push(starts[end]!)
  return cuts.reverse()
}

/**
 * Batches of rows of similar length, cut so that the least is computed for padding and for calls. The same rows give
 * the same batches.
 * @param size largest number of rows in a batch
 * @param tokens largest number of tokens in a batch of several rows, with padding
 */
export function cheapestBatches(rows: readonly Features[], size: number, tokens = Infinity): Batch[] {
  const order = byLength(rows)
  const lengths = order.map((place) => rows[place]!.input_ids.length)
  const cuts = cheapestCuts(lengths, { rows: size, tokens })
  return cuts.map((start, i) => padBatch(rows, order.slice(start, cuts[i + 1])))
}
