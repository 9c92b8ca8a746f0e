import type { AlbertModel } from '../model/albert.js'
import { forwardFlops } from '../model/accounting/cost.js'
import { takesChoices } from '../model/forward.js'
import type { HeadSelection } from '../model/tasks.js'
import { headsOn, type ModelInputs } from '../model/reference/run.js'

/** Random inputs for verification if the user gives none. */

/** Floating-point operations that the reference may spend on the widest input. */
const BUDGET = 4e9
/** Floating-point operations for the widest and the short inputs together. */
const TOTAL_BUDGET = 8e9
/** Floating-point operations for each long input: about two seconds of a processor. */
const LONG_BUDGET = 26e9

/** Lengths of the long input if the longest of the model takes too much: an albert-base takes 128. */
const LENGTHS = [256, 128, 64, 32]

/** Sizes of the widest input, largest first; sequence lengths are odd, so that no test passes thanks to alignment. */
const SIZES = [
  [4, 17],
  [4, 13],
  [3, 11],
  [2, 9],
  [2, 7],
  [2, 5],
  [1, 5],
  [1, 3],
  [1, 2],
] as const satisfies readonly Size[]

/** Longer rows run without the masked-token head: its logits would take more time and memory than all else. */
const MLM_TOKENS = 128

const longInput = (sequence: number): { readonly withoutMlm: boolean } => ({ withoutMlm: sequence > MLM_TOKENS })

type Size = readonly [batch: number, sequence: number]

/** Small seeded generator (mulberry32), so that the same model always gets the same inputs. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Mask of token `i` in row `row`: full, padded at the end, with holes, all zero in row 3 (row 1 for one token). */
function maskOf(row: number, i: number, sequence: number): 0 | 1 {
  if (sequence === 1) return row === 0 ? 1 : 0
  if (row === 0) return sequence <= 3 && i === sequence - 1 ? 0 : 1
  if (row === 1) return i < Math.ceil(sequence * 0.6) ? 1 : 0
  return row === 2 ? (i % 4 === 2 ? 0 : 1) : 0
}

/** Draws a batch with padding, holes, two segments if the model has them, and both ends of the vocabulary. */
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

/** Drawn inputs, and notes on the sizes that were left out. */
export interface DrawnInputs {
  readonly inputs: readonly ModelInputs[]
  readonly notes: readonly string[]
}

/** Groups the rows of `inputs` into examples of several choices. */
const asChoices = (inputs: ModelInputs): ModelInputs => ({
  ...inputs,
  // Two examples of as many choices as the rows allow, or one of all.
  choices: inputs.batch === 4 ? 2 : inputs.batch,
})

/**
 * Draws inputs of several batch sizes and lengths: an odd length, 1, 2 and the longest of the model, or the longest of
 * `LENGTHS` that the reference computes in a few seconds.
 * @param lengths further lengths, those of files that take one alone
 */
export function defaultInputs(model: AlbertModel, heads: HeadSelection, lengths: readonly number[] = []): DrawnInputs {
  const longest = model.config.max_position_embeddings
  const cost = ([batch, sequence]: Size): number => forwardFlops(model, heads, batch, sequence)
  const widest = SIZES.find((size) => size[1] <= longest && cost(size) <= BUDGET) ?? [1, Math.min(2, longest)]
  const sizes: Size[] = [widest]
  const notes: string[] = []
  const leftOut = (length: number, flops: number): void => {
    const needed = (flops / 1e9).toPrecision(2)
    notes.push(`no input of ${length} tokens was drawn: the float64 reference would need ${needed} GFLOP for it`)
  }
  const isNew = ([, sequence]: Size): boolean => sequence <= longest && sizes.every((s) => s[1] !== sequence)
  const short: readonly Size[] = [
    [2, 1],
    [1, 2],
  ]
  let spent = cost(widest)
  for (const size of short.filter(isNew)) {
    if (spent + cost(size) > TOTAL_BUDGET) {
      leftOut(size[1], cost(size))
      continue
    }
    spent += cost(size)
    sizes.push(size)
  }
  const body = (length: number): number => forwardFlops(model, headsOn(heads, longInput(length)), 1, length)
  const takes = (length: number): boolean => body(length) <= LONG_BUDGET
  const long = [longest, ...LENGTHS].find((length) => length > widest[1] && length <= longest && takes(length))
  for (const length of [...lengths, ...(long === undefined ? [] : [long])]) {
    const size = [1, length] as const
    if (!isNew(size)) continue
    if (takes(length)) sizes.push(size)
    else leftOut(length, body(length))
  }
  if (!takes(longest)) leftOut(longest, body(longest))
  if (model.mlm !== null && heads.mlm && sizes.some(([, sequence]) => longInput(sequence).withoutMlm))
    notes.push(`the masked-token head, which reads every token by itself, ran on inputs of up to ${MLM_TOKENS} tokens`)
  const inputs = sizes.map(([batch, sequence], i) => ({
    ...drawInputs(model, batch, sequence, i + 1),
    ...(longInput(sequence).withoutMlm ? { withoutMlm: true } : {}),
  }))
  return { inputs: takesChoices(model, heads) ? inputs.map(asChoices) : inputs, notes }
}
