import type { AlbertModel, Block } from '../albert.js'
import { groupOfLayer } from '../config.js'
import { blockRoles } from '../tensors/roles.js'

/** The layers of any model as transformers' ALBERT arranges them. */
export interface Arrangement {
  readonly layers: number
  /** `groups[g][j]`: inner layer j of group g. */
  readonly groups: readonly (readonly Block[])[]
}

const alike = (a: readonly Block[], b: readonly Block[]): boolean => {
  const [left, right] = [a.flatMap(blockRoles), b.flatMap(blockRoles)]
  return left.length === right.length && left.every(([, p], i) => p === right[i]?.[1])
}

/** True if transformers 4 runs it: there a group has no more inner layers than layers take it. */
export const isRunnable = (layers: number, groups: number, inner: number): boolean =>
  inner <= Math.floor(layers / groups)

/** One group for equal layers, if transformers' formula gives each layer its own; else a group for every inner layer. */
export function arrange({ config, layers }: AlbertModel): Arrangement {
  const groups: (readonly Block[])[] = []
  const taken = layers.map((inner) => {
    const known = groups.findIndex((group) => alike(group, inner))
    return known >= 0 ? known : groups.push(inner) - 1
  })
  const there = { ...config, family: 'hf' as const, num_hidden_groups: groups.length }
  const fits = taken.every((group, layer) => group === groupOfLayer(there, layer))
  if (fits && isRunnable(layers.length, groups.length, groups[0]?.length ?? 0)) return { layers: layers.length, groups }
  const flat = layers.flat()
  return { layers: flat.length, groups: flat.map((block) => [block]) }
}
