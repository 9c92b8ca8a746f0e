import { usage } from '../../base/errors.js'
import type { TensorSource } from '../../formats/core/source.js'
import { AVERAGES } from '../../model/names/skipped.js'
import { renamed } from '../../formats/views/renamed.js'

/** Selects one of several models in a file: one scope, or the moving averages of the weights. */
export interface SelectOptions {
  /** Scope of the model to read, if the file holds several: `student`, `model/teacher`. */
  readonly scope?: string
  /** Read the exponential moving averages of the weights instead of the weights. */
  readonly ema?: boolean
}

/** Selected variables of a source, and notes for the user on the rest. */
interface Selected {
  readonly source: TensorSource
  readonly notes: readonly string[]
}

/** Names of moving averages in tf-models' checkpoints of objects. */
const AVERAGE_SLOT = /^(.*)\/\.OPTIMIZER_SLOT\/[^/]*optimizer\/average\/\.ATTRIBUTES\/VARIABLE_VALUE$/

/** Name of the variable whose moving average `name` is, or null. */
function averageOf(name: string): string | null {
  const [, variable] = AVERAGE_SLOT.exec(name) ?? []
  if (variable !== undefined) return `${variable}/.ATTRIBUTES/VARIABLE_VALUE`
  for (const pattern of AVERAGES) {
    const averaged = pattern.exec(name)?.[1]
    if (averaged !== undefined) return averaged
  }
  return null
}

/** A name without its first part: the averaged model may be in a wrapper that its copy is not in. */
const inner = (name: string): string => name.replace(/^[^./]+[./]/, '')

function selectScope(source: TensorSource, scope: string): Selected {
  const bare = scope.replace(/[./]+$/, '')
  const belongs = (name: string): boolean => name.startsWith(`${bare}/`) || name.startsWith(`${bare}.`)
  let left = 0
  for (const name of source.tensors.keys()) if (!belongs(name)) left++
  if (left === source.tensors.size) {
    const scopes = [...new Set([...source.tensors.keys()].map((name) => name.split(/[./]/, 1)[0] ?? ''))]
    throw usage(`no variable of the file is in the scope ${bare}`, {
      code: 'name-unknown',
      file: source.files[0] ?? '',
      hint: `scopes of the file: ${scopes.slice(0, 8).join(', ')}`,
    })
  }
  const note = `only the scope ${bare} is read, as requested: ${left} other variables of the file are left out`
  return { source: renamed(source, (name) => (belongs(name) ? name : null)), notes: [note] }
}

function selectAverages(source: TensorSource, ema: boolean): Selected {
  const averages = new Map<string, string>()
  for (const name of source.tensors.keys()) {
    const variable = averageOf(name)
    if (variable !== null) averages.set(variable, name)
  }
  if (averages.size === 0) {
    if (!ema) return { source, notes: [] }
    throw usage('the file has no moving averages', { code: 'name-unknown', file: source.files[0] ?? '' })
  }
  const isAveraged = (name: string): boolean => averages.has(name) || averages.has(inner(name))
  const count = `${averages.size} exponential moving averages (EMA)`
  if (!ema) {
    const own = [...source.tensors.keys()].some((name) => averageOf(name) === null && isAveraged(name))
    const note = own
      ? `the file also has ${count} of the weights, which are not read; \`ema\` selects them`
      : `the file has only ${count} of the weights, which are not read; \`ema\` selects them`
    return { source, notes: [note] }
  }
  const stored = new Map([...averages].map(([variable, name]) => [name, variable]))
  return {
    source: renamed(source, (name) => stored.get(name) ?? (isAveraged(name) ? null : name)),
    notes: [`${count} are read in place of the weights, as requested`],
  }
}

/** Selects variables of `source`. @throws AlbertkitError `usage` if the scope or the averages are absent */
export function selectVariables(source: TensorSource, { scope, ema = false }: SelectOptions): Selected {
  const within = scope === undefined ? { source, notes: [] } : selectScope(source, scope)
  const chosen = selectAverages(within.source, ema)
  return { source: chosen.source, notes: [...within.notes, ...chosen.notes] }
}
