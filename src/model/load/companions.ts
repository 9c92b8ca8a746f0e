import { sameShape, type TensorSource } from '../../formats/core/source.js'
import type { Identification, SkippedVariable } from '../names/identification.js'

/**
 * Variables that stand beside every weight of the model, below its name and in its shape: `…/kernel/LazyAdam` with
 * `…/kernel`. An optimizer or an average keeps such ones, whatever it calls them; no part of a model is like that.
 */

/** Fewest weights that must all have such a variable. */
const ENOUGH = 8

/** Suffix of `name` below the weight that it stands beside; null if there is none of its shape. */
function suffixOf(source: TensorSource, weights: ReadonlySet<string>, name: string): string | null {
  const at = name.lastIndexOf('/')
  const [weight, own] = [name.slice(0, Math.max(0, at)), source.tensors.get(name)]
  const beside = weights.has(weight) ? source.tensors.get(weight) : undefined
  if (own === undefined || beside === undefined || !sameShape(own.shape, beside.shape)) return null
  return name.slice(at)
}

/** The identification with such variables skipped, and a note on each kind of them. */
export function skipCompanions(
  source: TensorSource,
  found: Identification,
): { readonly found: Identification; readonly notes: readonly string[] } {
  const weights = new Set([...found.mapped.values()].map(({ variable }) => variable))
  const body = [...found.mapped.values()].filter(({ row }) => row.prefixed).map(({ variable }) => variable)
  const suffixes = new Map<string, string>()
  for (const name of found.unknown) {
    const suffix = suffixOf(source, weights, name)
    if (suffix !== null) suffixes.set(name, suffix)
  }
  const known = [...new Set(suffixes.values())].filter(
    (suffix) => body.length >= ENOUGH && body.every((weight) => suffixes.get(weight + suffix) === suffix),
  )
  if (known.length === 0) return { found, notes: [] }
  const isKnown = (name: string): boolean => known.includes(suffixes.get(name) ?? '')
  const skipped: SkippedVariable[] = found.unknown
    .filter(isKnown)
    .map((variable) => ({ variable, reason: 'state of an optimizer or an average: each weight has such a variable' }))
  return {
    found: {
      ...found,
      unknown: found.unknown.filter((name) => !isKnown(name)),
      skipped: [...found.skipped, ...skipped],
    },
    notes: [
      `not read: ${known.map((suffix) => `*${suffix}`).join(', ')}, which each weight has beside it: ` +
        'state of an optimizer, or averages',
    ],
  }
}
