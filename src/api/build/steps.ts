import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { OnProgress } from '../../base/abort.js'
import { artefactKey, artefactPath, isGraphTarget, type Precision, type Target } from '../../base/artefact-layout.js'
import { largestOf } from '../../base/largest.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { runnerInfo } from '../../runtime/runners.js'
import { benchModel, type BenchOptions } from '../bench/bench.js'
import { convertModel } from '../convert/convert.js'
import type { ConvertReport } from '../convert/report.js'
import { accuracyOf, f1Of } from '../inference/budget.js'
import { evaluateFile } from '../inference/evaluate-file.js'
import { verifyModel } from '../verify/verify.js'
import type { VerifyReport } from '../verify/report.js'
import type { ModelBuild } from './model-build.js'
import type { ArtefactFigures } from './report.js'

/** The operations of a build: each is one of the library's, with its figures taken down. */

/** Plain data, so that another process can do it. */
export type StepJob =
  | ({ readonly kind: 'convert'; readonly force: boolean } & Pick<ModelBuild, 'source' | 'output' | 'convert'>)
  | ({ readonly kind: 'golden'; readonly golden: string } & Pick<ModelBuild, 'source' | 'output' | 'convert'>)
  | {
      readonly kind: 'evaluate'
      readonly output: string
      readonly artefacts: readonly string[]
      readonly evaluate: NonNullable<ModelBuild['evaluate']>
    }
  | { readonly kind: 'bench'; readonly output: string; readonly bench: NonNullable<ModelBuild['bench']> }

/** Result of a step. */
export interface StepResult {
  /** Sentences on what was expected and not found; the step failed if there are any. */
  readonly missed: readonly string[]
  readonly notes: readonly string[]
  /** Figures by artefact. */
  readonly figures: Readonly<Record<string, Partial<ArtefactFigures>>>
}

const keyOf = (target: Target, dtype: string | undefined): string => artefactKey(target, (dtype ?? 'f32') as Precision)

/** Sentences on what a verification found wrong. */
function differences({ comparisons, weights, ok }: VerifyReport): string[] {
  if (ok) return []
  const outputs = comparisons
    .filter((c) => !c.ok)
    .map(({ runner, output, maxAbs, atol }) => `${output} in ${runner} differs by ${String(maxAbs)}, above ${atol}`)
  const stored = weights
    .filter((w) => !w.ok)
    .map(({ artefact, differences: found }) => `${found.length} weights of ${artefact} differ from the source's`)
  const all = [...outputs, ...stored]
  return all.length > 0 ? all : ['nothing could be compared']
}

/** Largest difference of an artefact's outputs from the reference; null if none was compared. */
function maxAbsOf(verification: VerifyReport | null, target: Target, dtype: string | undefined): number | null {
  if (verification === null || !isGraphTarget(target)) return null
  const own = verification.comparisons.filter(
    (c) => c.dtype === dtype && c.runner !== 'reference' && runnerInfo(c.runner).artefact === target,
  )
  const all = own.flatMap(({ maxAbs }) => (maxAbs === null ? [] : [maxAbs]))
  return all.length === 0 ? null : largestOf(all)
}

/** Sentences on a conversion that a check refused. */
const refusals = ({ gate, verification }: ConvertReport): string[] => [
  ...gate
    .filter(({ ok }) => !ok)
    .map(
      ({ artefact, agreement, threshold }) => `agreement of ${artefact} is ${agreement.toFixed(4)}, below ${threshold}`,
    ),
  ...(verification === null ? [] : differences(verification)),
]

function convertFigures({ artefacts, gate, verification, output }: ConvertReport): StepResult['figures'] {
  return Object.fromEntries(
    artefacts.map(({ target, dtype, files }) => {
      const artefact = keyOf(target, dtype)
      return [
        artefact,
        {
          artefact,
          files,
          bytes: files.reduce(
            (sum, file) => sum + (statSync(join(output, file), { throwIfNoEntry: false })?.size ?? 0),
            0,
          ),
          maxAbs: maxAbsOf(verification, target, dtype),
          agreement: gate.find((g) => g.artefact === artefact)?.agreement ?? null,
        },
      ]
    }),
  )
}

type JobOf<K extends StepJob['kind']> = Extract<StepJob, { kind: K }>

async function convert(job: JobOf<'convert'>, onProgress: OnProgress): Promise<StepResult> {
  const { source, output, convert: options, force } = job
  const report = await convertModel(source, output, { ...options, force, onProgress })
  return { missed: refusals(report), notes: report.notes, figures: report.ok ? convertFigures(report) : {} }
}

async function golden(job: JobOf<'golden'>, onProgress: OnProgress): Promise<StepResult> {
  const { source, output, convert: options } = job
  const { config, layerNormEpsilon, scope, head, ema, mergeLora, ignore, checksum, atol } = options
  const reading = { config, layerNormEpsilon, scope, head, ema, mergeLora, ignore, checksum, atol }
  const report = await verifyModel(source, output, { ...omitUndefined(reading), golden: job.golden, onProgress })
  return { missed: differences(report), notes: report.notes, figures: {} }
}

async function evaluate({ output, artefacts, evaluate: asked }: JobOf<'evaluate'>): Promise<StepResult> {
  const figures: Record<string, Partial<ArtefactFigures>> = {}
  const notes: string[] = []
  for (const artefact of artefacts) {
    const [target, precision] = artefact.split('-') as [Target, Precision | undefined]
    const model = isGraphTarget(target) ? join(output, artefactPath(target, precision)) : output
    const report = await evaluateFile({ ...asked, model, format: 'jsonl' })
    figures[artefact] = { accuracy: accuracyOf(report), f1: f1Of(report) }
    if (report.bad > 0) notes.push(`${report.bad} lines of ${asked.input} cannot be used`)
  }
  return { missed: [], notes: [...new Set(notes)], figures }
}

async function bench({ output, bench: asked }: JobOf<'bench'>, onProgress: OnProgress): Promise<StepResult> {
  const report = await benchModel(output, { ...(asked as BenchOptions), onProgress })
  const figures: Record<string, Partial<ArtefactFigures>> = {}
  for (const { file, p50 } of report.rows) {
    const before = figures[file]?.p50 ?? 0
    figures[file] = { p50: Math.max(before, p50) }
  }
  const missed = report.rows.length === 0 ? ['nothing could be measured'] : []
  return { missed, notes: report.notRun.map(({ runner, reason }) => `${runner} was not measured: ${reason}`), figures }
}

/** Does a step. @throws AlbertkitError as the operation does */
export function runStep(job: StepJob, onProgress: OnProgress): Promise<StepResult> {
  switch (job.kind) {
    case 'convert':
      return convert(job, onProgress)
    case 'golden':
      return golden(job, onProgress)
    case 'evaluate':
      return evaluate(job)
    case 'bench':
      return bench(job, onProgress)
  }
}
