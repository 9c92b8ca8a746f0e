import { DROPOUT_LEVELS } from './dropout-sites.js'

/**
 * Random numbers that follow from a seed and a counter alone: a run that is continued needs no state of a generator,
 * and the same seed gives the same batches and masks on every machine and runtime.
 */

/** A well mixed 32-bit number for a 32-bit number (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let x = value | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

/** Mixes numbers into one. */
const keyOf = (...numbers: readonly number[]): number =>
  numbers.reduce((key, n) => mix(Math.imul(key, 0x9e3779b1) + n), 0x2545f491)

/** A permutation of `0 … count − 1` for an epoch (Fisher–Yates). */
export function permutation(count: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  const key = keyOf(seed, epoch, 1)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(((mix(mix(i ^ key) + key) >>> 0) / 2 ** 32) * (i + 1))
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}

/** Identity of a dropout mask, with its rate. */
export interface MaskPlace {
  readonly index: number
  readonly threshold: number
  readonly step: number
  /** Part of the batch of the step. */
  readonly part: number
}

/** Fills a mask with 1 for a value that is kept and 0 for one that is dropped: each number of 32 bits decides two. */
export function fillMask(mask: Uint8Array, seed: number, { index, threshold, step, part }: MaskPlace): void {
  const key = keyOf(seed, step, part, index, 2)
  const low = DROPOUT_LEVELS - 1
  for (let i = 0; i < mask.length; i += 2) {
    const x = mix(mix(i ^ key) + key)
    mask[i] = (x & low) < threshold ? 0 : 1
    if (i + 1 < mask.length) mask[i + 1] = x >>> 16 < threshold ? 0 : 1
  }
}
