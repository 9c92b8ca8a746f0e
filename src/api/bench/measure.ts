import { type OnProgress, progressStep } from '../../base/abort.js'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { openRunner, runnerInfo, type RunnerOptions } from '../../runtime/runners.js'
import type { BenchRow } from './report.js'

/** Measurement of one model file in one runner. */
export interface MeasureTask extends Pick<RunnerOptions, 'adapter' | 'allowSoftware' | 'browser'> {
  readonly directory: string
  /** Path relative to the directory. */
  readonly file: string
  readonly runner: string
  readonly threads: number
  readonly batches: readonly number[]
  readonly lengths: readonly number[]
  /** Number of measured runs, after two warm-up runs. */
  readonly runs: number
}

/** Batch without padding. The tokens do not affect the time, but must be in every vocabulary. */
function fullInputs(batch: number, sequence: number): ModelInputs {
  const size = batch * sequence
  return {
    batch,
    sequence,
    input_ids: Int32Array.from({ length: size }, (_, i) => 1 + (i % 7)),
    attention_mask: new Int32Array(size).fill(1),
    token_type_ids: new Int32Array(size),
  }
}

/** Quantile of sorted values; `part` is 0 to 1. */
const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0

const memoryOf = (): number => process.memoryUsage().rss / 2 ** 20

/**
 * Loads the file and times it on full batches of every size.
 * @throws AlbertkitError `environment` if the runner is unavailable, `malformed`
 */
export async function measure(task: MeasureTask, onProgress?: OnProgress): Promise<BenchRow[]> {
  const { directory, file, runner: name, threads, batches, lengths, runs, adapter, allowSoftware, browser } = task
  const before = memoryOf()
  const { inProcess } = runnerInfo(name)
  const start = performance.now()
  const options = { ...omitUndefined({ adapter, allowSoftware, browser }), threads }
  const runner = await openRunner(name, { file: join(directory, file) }, options)
  const load = performance.now() - start
  const rows: BenchRow[] = []
  try {
    for (const batch of batches) {
      // A file of fixed length always computes that many tokens.
      for (const length of runner.sequence === undefined ? lengths : [runner.sequence]) {
        const what = `${file} in ${name}, ${threads} thread${threads === 1 ? '' : 's'}, ${batch} × ${length}`
        onProgress?.(progressStep('measuring', what))
        const inputs = fullInputs(batch, length)
        const times: number[] = []
        for (let i = -2; i < runs; i++) {
          const from = performance.now()
          await runner.run(inputs)
          if (i >= 0) times.push(performance.now() - from)
        }
        times.sort((a, b) => a - b)
        const p50 = quantile(times, 0.5)
        rows.push({
          file,
          runner: name,
          threads,
          batch,
          length,
          p50,
          p90: quantile(times, 0.9),
          rowsPerSecond: (1000 * batch) / p50,
          tokensPerSecond: (1000 * batch * length) / p50,
          load,
          memory: inProcess ? memoryOf() - before : null,
        })
      }
    }
  } finally {
    await runner.close()
  }
  return rows
}
