import type { Features } from '../../text/data/features.js'
import { softmax } from '../../text/data/numbers.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'

/** Indices of the largest values that `isTaken` accepts, largest first, equal ones in their order. */
function largest(values: readonly number[], count: number, isTaken: (index: number) => boolean): number[] {
  const best: number[] = []
  values.forEach((value, index) => {
    if (best.length === count && value <= values[best.at(-1)!]!) return
    if (!isTaken(index)) return
    let place = best.length
    while (place > 0 && values[best[place - 1]!]! < value) place--
    best.splice(place, 0, index)
    if (best.length > count) best.pop()
  })
  return best
}

/** Positions of the masks of a text. */
export const maskPositions = ({ special }: Tokenizer, { input_ids }: Features): number[] =>
  input_ids.flatMap((id, position) => (id === special.mask ? [position] : []))

/**
 * Most probable tokens for each mask of a text: id and probability of each candidate, mask by mask.
 * @param logits of all tokens of the text, `[tokens, vocabulary]`
 * @param size of the vocabulary
 */
export function candidatesOf(
  tokenizer: Tokenizer,
  features: Features,
  logits: Float32Array,
  { size, top }: { readonly size: number; readonly top: number },
): Float32Array {
  const found = maskPositions(tokenizer, features).flatMap((position) => {
    const probabilities = softmax(logits.subarray(position * size, (position + 1) * size))
    // Rows behind the vocabulary have no token: tables are often padded.
    const best = largest(probabilities, top, (index) => tokenizer.tokenOf(index) !== undefined)
    return best.flatMap((index) => [index, probabilities[index]!])
  })
  return Float32Array.from(found)
}
