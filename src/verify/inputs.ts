import type { AlbertModel } from '../model/albert.js'
import { forwardFlops } from '../model/cost.js'
import { takesChoices, type HeadSelection } from '../model/forward.js'
import type { ModelInputs } from '../model/reference-run.js'

/** Inputs that verification draws when it is given none. */

/** Floating-point operations that the reference may spend on the larger input: about two seconds. */
const BUDGET = 4e9

/** Sizes of the larger input, largest first; sequence lengths are odd, so that nothing passes by luck of alignment. */
const SIZES = [[4, 17], [4, 13], [3, 11], [2, 9], [2, 7], [2, 5], [1, 5], [1, 3], [1, 2]] as const // prettier-ignore

/** A small generator with a fixed seed (mulberry32), so that the same model is always tried on the same inputs. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Mask of row `row`: full, padded at the end, with holes, and all zero in the fourth row. */
function maskOf(row: number, i: number, sequence: number): 0 | 1 {
  if (row === 0) return sequence <= 3 && i === sequence - 1 ? 0 : 1
  if (row === 1) return i < Math.ceil(sequence * 0.6) ? 1 : 0
  return row === 2 ? (i % 4 === 2 ? 0 : 1) : 0
}

/** A batch with padding, holes, two segments where the model has them, and both ends of the vocabulary. */
export function drawInputs(model: AlbertModel, batch: number, sequence: number, seed: number): ModelInputs {
  const { vocab_size, type_vocab_size } = model.config
  const next = random(seed)
  const ids = Int32Array.from({ length: batch * sequence }, () => Math.floor(next() * vocab_size))
  ids[0] = vocab_size - 1
  ids[ids.length - 1] = 0
  const at = (i: number): [row: number, column: number] => [Math.floor(i / sequence), i % sequence]
  return {
    batch,
    sequence,
    input_ids: ids,
    attention_mask: ids.map((_, i) => maskOf(...at(i), sequence)),
    token_type_ids: ids.map((_, i) => (type_vocab_size > 1 && at(i)[1] >= sequence / 2 ? 1 : 0)),
  }
}

/** Two inputs of different batch and sequence, sized by the cost of the reference: at most about 10 GFLOP. */
export function defaultInputs(model: AlbertModel, heads: HeadSelection): ModelInputs[] {
  const longest = model.config.max_position_embeddings
  const fits = SIZES.filter(
    ([batch, sequence]) => sequence <= longest && forwardFlops(model, heads, batch, sequence) <= BUDGET,
  )
  const [batch, sequence] = fits[0] ?? [1, Math.min(2, longest)]
  if (takesChoices(model, heads)) {
    // Two examples of as many choices as the rows allow, and one of three.
    const examples = batch % 2 === 0 ? 2 : 1
    const large = { ...drawInputs(model, batch, sequence, 1), choices: batch / examples }
    return [large, { ...drawInputs(model, 3, Math.min(3, longest), 2), choices: 3 }]
  }
  const large = drawInputs(model, batch, sequence, 1)
  return batch * sequence < 10 ? [large] : [large, drawInputs(model, 1, Math.min(3, longest), 2)]
}
