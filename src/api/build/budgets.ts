import type { ModelBuild } from './model-build.js'
import type { ArtefactFigures } from './report.js'
import { parseSize } from './size.js'

/** Limits of one artefact. */
interface Limit {
  readonly name: string
  readonly found: number | null
  readonly limit: number | undefined
  /** True if `found` must not be lower, false if it must not be higher. */
  readonly isLeast: boolean
  readonly show: (n: number) => string
}

type Budgets = ModelBuild['budgets']
type LimitName = 'size' | 'accuracy' | 'f1' | 'latency'
const LIMITS: readonly LimitName[] = ['size', 'accuracy', 'f1', 'latency']

/** The limit of an artefact; undefined if it has none. */
function limitOf(budgets: Budgets, name: LimitName, artefact: string): number | undefined {
  const own = budgets[name]
  const one = typeof own === 'object' ? own[artefact] : own
  return one === undefined ? undefined : parseSize(one)
}

function limitsOf(budgets: Budgets, figures: ArtefactFigures): Limit[] {
  const { bytes, accuracy, f1, p50, artefact } = figures
  const of = (name: LimitName): number | undefined => limitOf(budgets, name, artefact)
  const four = (n: number): string => n.toFixed(4)
  return [
    { name: 'size', found: bytes, limit: of('size'), isLeast: false, show: (n) => `${n} bytes` },
    { name: 'accuracy', found: accuracy, limit: of('accuracy'), isLeast: true, show: four },
    { name: 'F1', found: f1, limit: of('f1'), isLeast: true, show: four },
    { name: 'latency', found: p50, limit: of('latency'), isLeast: false, show: (n) => `${n.toFixed(2)} ms` },
  ]
}

/** True if the figures of a run can be measured: checkpoints are not run. */
const isGraph = ({ artefact }: ArtefactFigures): boolean => !/^(safetensors|tf)$/.test(artefact)

/** Sentences on the budgets that the artefacts of a model miss; empty if they keep all. */
export function missedBudgets({ budgets }: ModelBuild, artefacts: readonly ArtefactFigures[]): string[] {
  const named = LIMITS.flatMap((name) => {
    const own = budgets[name]
    return typeof own === 'object' ? Object.keys(own) : []
  })
  const unknown = [...new Set(named)].filter((name) => !artefacts.some(({ artefact }) => artefact === name))
  return [
    ...unknown.map((name) => `there is no artefact ${name}, which the budgets name`),
    ...artefacts.flatMap((figures) =>
      limitsOf(budgets, figures).flatMap(({ name, found, limit, isLeast, show }) => {
        if (limit === undefined) return []
        if (found === null) return isGraph(figures) ? [`${name} of ${figures.artefact} was not measured`] : []
        if (isLeast ? found >= limit : found <= limit) return []
        return [`${name} of ${figures.artefact} is ${show(found)}, ${isLeast ? 'below' : 'above'} ${limit}`]
      }),
    ),
  ]
}
