import { usage } from '../../base/errors.js'
import type { TensorSource } from '../../formats/core/source.js'
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

/** Names of moving averages in TensorFlow and tf-models. */
const AVERAGE =
  /^(.*)\/(ExponentialMovingAverage|\.OPTIMIZER_SLOT\/[^/]*optimizer\/average\/\.ATTRIBUTES\/VARIABLE_VALUE)$/
/** Prefix of names in PyTorch's EMA implementations. */
const AVERAGE_PREFIX = /^(ema_model|model_ema|averaged_model)\.(module\.)?(?=.)/

/** Name of the variable whose moving average `name` is, or null. */
function averageOf(name: string): string | null {
  const [, variable] = AVERAGE.exec(name) ?? []
  if (variable !== undefined)
    return name.endsWith('VARIABLE_VALUE') ? `${variable}/.ATTRIBUTES/VARIABLE_VALUE` : variable
  return AVERAGE_PREFIX.test(name) ? name.replace(AVERAGE_PREFIX, '') : null
}

function selectScope(source: TensorSource, scope: string): Selected {
  const bare = scope.replace(/[./]+$/, '')
  const belongs = (name: string): boolean => name.startsWith(`${bare}/`) || name.startsWith(`${bare}.`)
  const left = [...source.tensors.keys()].filter((name) => !belongs(name)).length
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
  const averages = new Map(
    [...source.tensors.keys()].flatMap((name): [string, string][] => {
      const variable = averageOf(name)
      return variable === null ? [] : [[variable, name]]
    }),
  )
  if (averages.size === 0) {
    if (!ema) return { source, notes: [] }
    throw usage('the file has no moving averages', { code: 'name-unknown', file: source.files[0] ?? '' })
  }
  const count = `${averages.size} exponential moving averages (EMA)`
  if (!ema) {
    const own = [...averages.keys()].some((variable) => source.tensors.has(variable))
    const note = own
      ? `the file also has ${count} of the weights, which are not read; \`ema\` selects them`
      : `the file has only ${count} of the weights, which are not read; \`ema\` selects them`
    return { source, notes: [note] }
  }
  const stored = new Map([...averages].map(([variable, name]) => [name, variable]))
  return {
    source: renamed(source, (name) => stored.get(name) ?? (averages.has(name) ? null : name)),
    notes: [`${count} are read in place of the weights, as requested`],
  }
}

/** Selects variables of `source`. @throws AlbertkitError `usage` if the scope or the averages are absent */
export function selectVariables(source: TensorSource, { scope, ema = false }: SelectOptions): Selected {
  const within = scope === undefined ? { source, notes: [] } : selectScope(source, scope)
  const chosen = selectAverages(within.source, ema)
  return { source: chosen.source, notes: [...within.notes, ...chosen.notes] }
}
