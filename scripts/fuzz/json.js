// Damage to JSON that stays JSON, or nearly: values, keys, order, depth.
import { pick } from './bytes.js'

/** Values that readers of JSON go wrong with, as they stand in a file. */
const VALUES = [
  ...['0', '-0', '-1', '1.5', '1e400', '4294967296', '9007199254740993', '1e-7', '00', 'NaN'],
  ...['null', 'true', '[]', '{}', '""', '"__proto__"', '"constructor"', '"\\u0000"', '"\\ud800"', '"../../x"', '"/x"'],
  ...['"F32"', '"I64"', '"float32"', '[[]]', '[0,0]', '[-1]', '[18446744073709551615]', '{"a":{}}'],
]
const KEYS = ['__proto__', 'constructor', '', 'toString', '\u0000', '__metadata__', 'length', '../x', '\ud800']

/** A tree in which keys may stand twice: `{ pairs }`, `{ items }` or `{ raw }`. */
function treeOf(value) {
  if (Array.isArray(value)) return { items: value.map(treeOf) }
  if (typeof value === 'object' && value !== null)
    return { pairs: Object.entries(value).map(([key, inner]) => [key, treeOf(inner)]) }
  return { raw: JSON.stringify(value) }
}

function textOf(node) {
  if (node.raw !== undefined) return node.raw
  if (node.items !== undefined) return `[${node.items.map(textOf).join(',')}]`
  return `{${node.pairs.map(([key, inner]) => `${JSON.stringify(key)}:${textOf(inner)}`).join(',')}}`
}

/** Every place in a tree: a list and an index in it. */
function placesIn(node, found = []) {
  const list = node.items ?? node.pairs ?? []
  list.forEach((entry, i) => {
    found.push([list, i])
    placesIn(node.items === undefined ? entry[1] : entry, found)
  })
  return found
}

const nodeAt = ([list, i]) => (Array.isArray(list[i]) ? list[i][1] : list[i])
function put([list, i], node) {
  list[i] = Array.isArray(list[i]) ? [list[i][0], node] : node
}

const EDITS = [
  (place, next) => put(place, { raw: pick(VALUES, next) }),
  (place, next) => put(place, { raw: pick(VALUES, next) }),
  ([list, i]) => list.splice(i, 1),
  ([list, i], next) => list.splice(next() % (list.length + 1), 0, list[i]),
  (place, next, all) => {
    const other = pick(all, next)
    const [a, b] = [nodeAt(place), nodeAt(other)]
    put(place, b)
    // The same node twice is fine, one in itself is not.
    if (next() % 2 === 0 && a.raw !== undefined && b.raw !== undefined) put(other, a)
  },
  ([list, i], next, all) => {
    if (!Array.isArray(list[i])) return
    const keys = all.filter(([l, n]) => Array.isArray(l[n])).map(([l, n]) => l[n][0])
    list[i] = [next() % 2 === 0 ? pick(KEYS, next) : pick(keys, next), list[i][1]]
  },
  (place, next) => {
    const depth = pick([1, 2, 40, 3000], next)
    put(place, { raw: '['.repeat(depth) + textOf(nodeAt(place)) + ']'.repeat(depth) })
  },
  (place, next) => {
    const { raw } = nodeAt(place)
    const value = Number(raw)
    if (raw === undefined || Number.isNaN(value)) return
    put(place, { raw: String(pick([value + 1, value - 1, -value, value * 2 ** 32, value / 2, 2 ** 53], next)) })
  },
]

/** A JSON text with one to three changes. */
export function mutateJson(text, next) {
  const tree = treeOf(JSON.parse(text))
  for (let n = 1 + (next() % 3); n > 0; n--) {
    const places = placesIn(tree)
    if (places.length === 0) return pick(VALUES, next)
    pick(EDITS, next)(pick(places, next), next, places)
    // A node moved into itself has no text.
    try {
      textOf(tree)
    } catch {
      return `[${text}]`
    }
  }
  return textOf(tree)
}

/** The same for bytes. */
export const mutateJsonBytes = (bytes, next) =>
  new TextEncoder().encode(mutateJson(new TextDecoder().decode(bytes), next))
