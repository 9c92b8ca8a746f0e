/** Largest value; −Infinity of none. Not `Math.max(...values)`: a call may have only some 100,000 arguments. */
export function largestOf(values: Iterable<number>): number {
  let most = -Infinity
  for (const value of values) most = Math.max(most, value)
  return most
}
