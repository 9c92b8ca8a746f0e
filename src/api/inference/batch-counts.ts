/** Counts of a window's batches, which all threads that run them share: those taken so far, and all of them. */
export type BatchCounts = Int32Array

const [TAKEN, ALL] = [0, 1]

export const newCounts = (): BatchCounts => new Int32Array(new SharedArrayBuffer(8))

/** Takes the next batch that no thread has taken: its number, counted from 0. */
export const takeFrom =
  (counts: BatchCounts): (() => number) =>
  () =>
    Atomics.add(counts, TAKEN, 1)

/** Sets the number of all batches, which the first thread of the window finds out. */
export const setAll = (counts: BatchCounts, all: number): void => {
  Atomics.store(counts, ALL, all)
}

/** Leaves no batch to take, of `most` that there may be. */
export const takeAllOf = (counts: BatchCounts, most: number): void => {
  Atomics.store(counts, TAKEN, most)
}

/** Batches that no thread has taken; negative if threads have asked for more. @param expected all, before they are known */
export const leftOf = (counts: BatchCounts, expected: number): number =>
  (Atomics.load(counts, ALL) || expected) - Atomics.load(counts, TAKEN)
