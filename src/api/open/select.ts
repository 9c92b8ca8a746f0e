import { usage } from '../../base/errors.js'
import type { TensorSource } from '../../formats/core/source.js'
import { renamed } from '../../formats/views/renamed.js'

/** Which of several models in one file is meant: one by its scope, or the moving averages of the weights. */
export interface SelectOptions {
  /** Scope of the model to read, if the file holds several: `student`, `model/teacher`. */
  readonly scope?: string
  /** Read the exponential moving averages of the weights instead of the weights. */
  readonly ema?: boolean
}

/** What is read of a source, and what a user should know about the rest. */
interface Selected {
  readonly source: TensorSource
  readonly notes: readonly string[]
}

/** Names that TensorFlow's and tf-models' code gives to moving averages. */
const AVERAGE =
  /^(.*)\/(ExponentialMovingAverage|\.OPTIMIZER_SLOT\/[^/]*optimizer\/average\/\.ATTRIBUTES\/VARIABLE_VALUE)$/
/** What EMA implementations of PyTorch put before the names. */
const AVERAGE_PREFIX = /^(ema_model|model_ema|averaged_model)\.(module\.)?(?=.)/

/** The variable that `name` is the moving average of, or null. */
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
    throw usage(`no variable of the file stands below ${bare}`, {
      code: 'name-unknown',
      file: source.files[0] ?? '',
      hint: `scopes of the file: ${scopes.slice(0, 8).join(', ')}`,
    })
  }
  const note = `only what stands below ${bare} is read, as asked: ${left} other variables of the file are left out`
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
    const note = `the file has ${count} of the weights beside them: the weights themselves are read, not the averages, which \`ema\` takes`
    return { source, notes: own ? [note] : [note.replace(' beside them', ' alone')] }
  }
  const stored = new Map([...averages].map(([variable, name]) => [name, variable]))
  return {
    source: renamed(source, (name) => stored.get(name) ?? (averages.has(name) ? null : name)),
    notes: [`${count} are read in place of the weights, as asked`],
  }
}

/** The part of `source` that is meant. @throws AlbertkitError `usage` if it is not there */
export function selectVariables(source: TensorSource, { scope, ema = false }: SelectOptions): Selected {
  const within = scope === undefined ? { source, notes: [] } : selectScope(source, scope)
  const chosen = selectAverages(within.source, ema)
  return { source: chosen.source, notes: [...within.notes, ...chosen.notes] }
}
