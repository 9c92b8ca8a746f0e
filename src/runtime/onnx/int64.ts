/** Widens ids and masks, which are never negative: the high words stay zero. Faster than a BigInt for each. */
export function toInt64(values: Int32Array): BigInt64Array {
  const wide = new BigInt64Array(values.length)
  const words = new Int32Array(wide.buffer)
  for (let i = 0; i < values.length; i++) words[2 * i] = values[i]!
  return wide
}
