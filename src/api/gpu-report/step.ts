import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AlbertkitError } from '../../base/errors.js'
import { artefactPath, graphLayout } from '../../base/artefact-layout.js'
import { runnerInfo, type RunnerOptions } from '../../runtime/runners.js'
import type { Comparison } from '../../compare/compare.js'
import { measure } from '../bench/measure.js'
import type { VerifyReport } from '../verify/report.js'
import { verifyModel } from '../verify/verify.js'
import type { GpuLayer, GpuParity, GpuSpeed, GpuStep } from './report.js'

/** A runtime on a model, in a process of its own. */
export interface StepTask {
  readonly model: string
  readonly runner: string
  readonly source: string
  readonly directory: string
  /** Tokens of the rows that are measured. */
  readonly length: number
  /** Runs to measure; none on a software adapter. */
  readonly runs: number
  readonly options: RunnerOptions
}

/** Progress of a step, so that what is known survives a crash. */
export type StepAnswer = { readonly part: Partial<GpuStep> } | { readonly done: Partial<GpuStep> }

/** Rows of the runs that are measured. */
const BATCHES = [1, 8]

/** How far a comparison is from its bound; NaN counts as infinitely far. */
const excess = ({ maxAbs, atol }: Pick<Comparison, 'maxAbs' | 'atol'>): number =>
  maxAbs === null ? Infinity : maxAbs / atol

/** The worst comparison of each element type; rows that are masked everywhere count with theirs. */
function parityOf({ comparisons }: VerifyReport): GpuParity[] {
  const worst = new Map<string, Comparison>()
  for (const comparison of comparisons) {
    const dtype = comparison.dtype ?? 'f32'
    const before = worst.get(dtype)
    if (before === undefined || excess(comparison) > excess(before)) worst.set(dtype, comparison)
  }
  return [...worst].map(([dtype, { output, maxAbs, atol, ok }]) => ({ dtype, output, maxAbs, atol, ok }))
}

const layersOf = ({ layers = [] }: VerifyReport): GpuLayer[] =>
  layers.map(({ layer, maxAbs, atol, ok }) => ({ layer, maxAbs, atol, ok }))

/** Files of the formats that a runner loads. */
function filesOf(runner: string, directory: string): string[] {
  const { artefact } = runnerInfo(runner)
  return graphLayout(artefact)
    .precisions.map((precision) => artefactPath(artefact, precision))
    .filter((file, i, all) => all.indexOf(file) === i && existsSync(join(directory, file)))
}

async function speedOf({ runner, directory, length, runs, options }: StepTask): Promise<GpuSpeed[]> {
  const { adapter, allowSoftware, browser } = options
  const given = { directory, runner, threads: 1, batches: BATCHES, lengths: [length], runs }
  const gpu = { ...(adapter === undefined ? {} : { adapter }), ...(browser === undefined ? {} : { browser }) }
  const speed: GpuSpeed[] = []
  for (const file of filesOf(runner, directory)) {
    const rows = await measure({ ...given, ...gpu, file, allowSoftware: allowSoftware === true })
    speed.push(...rows.map(({ batch, length, p50, load }) => ({ file, batch, length, p50, load })))
  }
  return speed
}

/**
 * Runs a model in one runtime: parity of every format and layer with the float64 reference, then speed.
 * @param tell called with what is known so far
 */
export async function runStep(task: StepTask, tell: (part: Partial<GpuStep>) => void): Promise<Partial<GpuStep>> {
  const { source, directory, runner, options, runs } = task
  try {
    const report = await verifyModel(source, directory, { ...options, runners: [runner], layers: true })
    const [runtime] = report.runtimes
    const known = {
      status: report.ok ? 'ok' : 'differs',
      detail: runtime?.detail ?? null,
      adapter: runtime?.adapter ?? null,
      parity: parityOf(report),
      layers: layersOf(report),
    } as const
    tell(known)
    return { ...known, speed: runs === 0 ? [] : await speedOf(task) }
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    const hint = error instanceof AlbertkitError && error.hint !== undefined ? `; ${error.hint}` : ''
    return { status: 'failed', reason: `${reason}${hint}` }
  }
}
