/** An unnamed Dense layer within a layer: `…/dense_7/kernel:0`. */
const UNNAMED = /^(.*\/)dense(?:_(\d+))?\/[^/]+$/

/**
 * Names in which Dense layers without names are counted from 0 within the layer that made them. Keras 2 counts them
 * through all of a process, so that `dense_1` … `dense_4` of one layer are `dense_7` … `dense_10` of the next; tf.keras
 * counts within each layer. The order is the same.
 * @param names every name of a file
 * @returns new names by the old ones; names that stay are left out
 */
export function numberWithin(names: Iterable<string>): ReadonlyMap<string, string> {
  const numbers = new Map<string, Set<number>>()
  const found = [...names].flatMap((name) => {
    const match = UNNAMED.exec(name)
    return match === null ? [] : [{ name, parent: match[1] ?? '', number: Number(match[2] ?? 0) }]
  })
  for (const { parent, number } of found) numbers.set(parent, (numbers.get(parent) ?? new Set()).add(number))
  const renamed = new Map<string, string>()
  for (const { name, parent, number } of found) {
    const all = [...numbers.get(parent)!].sort((a, b) => a - b)
    const rank = all.indexOf(number)
    // A single layer keeps its name, by which a user may ask for it.
    if (all.length < 2 || rank === number) continue
    const own = rank === 0 ? 'dense' : `dense_${rank}`
    renamed.set(name, parent + own + name.slice(name.lastIndexOf('/')))
  }
  return renamed
}
