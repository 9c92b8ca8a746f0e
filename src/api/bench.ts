import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { defined } from '../defined.js'
import { AlbertkitError, usage } from '../errors.js'
import type { ModelInputs } from '../model/reference-run.js'
import { openRunner, RUNNERS, type ArtefactKind, type RunnerOptions } from '../runtime/index.js'

export interface BenchOptions extends Pick<RunnerOptions, 'adapter' | 'allowSoftware' | 'browser'> {
  /** Runners by name; the first of each form if left out. */
  readonly runners?: readonly string[]
  /** Rows of a batch. */
  readonly batches?: readonly number[]
  /** Tokens a row; 32 and 128 if left out, as far as the model has them. */
  readonly lengths?: readonly number[]
  /** Threads inside an operation; for runtimes that let themselves be told. */
  readonly threads?: readonly number[]
  /** Runs that are measured, after two that are not. */
  readonly runs?: number
  readonly onProgress?: (what: string) => void
}

export interface BenchRow {
  /** Relative to the directory. */
  readonly file: string
  readonly runner: string
  readonly threads: number
  readonly batch: number
  readonly length: number
  /** Milliseconds of a run: median, and what nine of ten stay below. */
  readonly p50: number
  readonly p90: number
  /** Rows and tokens a second, by the median. */
  readonly rowsPerSecond: number
  readonly tokensPerSecond: number
  /** Milliseconds until the model was loaded. */
  readonly load: number
  /** MiB by which the process grew since before it was loaded; null where another one runs the model, a browser. */
  readonly memory: number | null
}

export interface BenchReport {
  readonly ok: true
  readonly directory: string
  readonly node: string
  readonly rows: readonly BenchRow[]
  readonly notRun: readonly { readonly runner: string; readonly reason: string }[]
}

/** Tokens a row where nothing is said, as far as the model has them. */
const LENGTHS = [32, 128]

/** The model files of a directory, of every element type. */
function graphsIn(directory: string): { file: string; kind: ArtefactKind }[] {
  const onnx = join(directory, 'onnx')
  const names = existsSync(onnx) ? readdirSync(onnx).sort() : []
  return [
    ...names.filter((name) => name.endsWith('.onnx')).map((name) => ({ file: `onnx/${name}`, kind: 'onnx' as const })),
    ...(existsSync(join(directory, 'tfjs/model.json')) ? [{ file: 'tfjs/model.json', kind: 'tfjs' as const }] : []),
  ]
}

/** How many positions the model of a directory has, as far as its configuration is there and says so. */
function positionsOf(directory: string): number {
  try {
    const config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as Record<string, unknown>
    const { max_position_embeddings: positions } = config
    return typeof positions === 'number' ? positions : Infinity
  } catch {
    return Infinity
  }
}

/** @throws AlbertkitError `usage` where a length is asked for that the model does not have */
function lengthsFor(directory: string, asked?: readonly number[]): readonly number[] {
  const most = positionsOf(directory)
  const beyond = asked?.find((length) => length > most)
  if (beyond !== undefined) throw usage(`the model has ${most} positions, and ${beyond} tokens are asked for`)
  return asked ?? [...new Set(LENGTHS.map((length) => Math.min(length, most)))]
}

/** A batch without padding; which tokens does not matter to the time it takes, only that every vocabulary has them. */
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

/** The value that a part of the sorted values stays below or at. */
const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? 0

const memoryOf = (): number => process.memoryUsage().rss / 2 ** 20

async function measure(
  directory: string,
  file: string,
  name: string,
  threads: number,
  options: BenchOptions,
): Promise<BenchRow[]> {
  const { batches = [1, 8], runs = 20, adapter, allowSoftware, browser } = options
  const gpu = defined({ adapter, allowSoftware, browser })
  const lengths = lengthsFor(directory, options.lengths)
  const before = memoryOf()
  const elsewhere = name.startsWith('browser-')
  const start = performance.now()
  const runner = await openRunner(name, { file: join(directory, file) }, { ...gpu, threads })
  const load = performance.now() - start
  const rows: BenchRow[] = []
  try {
    for (const batch of batches) {
      for (const length of lengths) {
        options.onProgress?.(`${file} in ${name}, ${threads} thread${threads === 1 ? '' : 's'}, ${batch} × ${length}`)
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
          file, runner: name, threads, batch, length, p50, p90: quantile(times, 0.9),
          rowsPerSecond: (1000 * batch) / p50, tokensPerSecond: (1000 * batch * length) / p50,
          load, memory: elsewhere ? null : memoryOf() - before,
        }) // prettier-ignore
      }
    }
  } finally {
    await runner.close()
  }
  return rows
}

/**
 * Measures the model files of a directory on this machine: latency, throughput, load time and memory.
 * @throws AlbertkitError `malformed` where there is none, or one that does not run; `usage`
 */
export async function benchModel(directory: string, options: BenchOptions = {}): Promise<BenchReport> {
  const graphs = graphsIn(directory)
  if (graphs.length === 0)
    throw new AlbertkitError('malformed', 'the directory holds no model that runs', {
      file: directory,
      hint: 'give the directory that `convert --to onnx` or `--to tfjs` wrote',
    })
  const able = RUNNERS.filter(({ artefact }) => graphs.some(({ kind }) => kind === artefact))
  for (const name of options.runners ?? [])
    if (!able.some((r) => r.name === name))
      throw usage(`${name} has nothing to run here`, {
        hint: `runners for this: ${able.map((r) => r.name).join(', ')}`,
      })
  const rows: BenchRow[] = []
  const notRun: { runner: string; reason: string }[] = []
  for (const { file, kind } of graphs) {
    const names = options.runners ?? [able.find((r) => r.artefact === kind)?.name ?? '']
    for (const name of names.filter((n) => able.some((r) => r.name === n && r.artefact === kind))) {
      // The others cannot be told: TensorFlow.js has one thread in Node, a page one without special headers.
      for (const threads of name === 'onnxruntime' ? (options.threads ?? [1]) : [1]) {
        try {
          rows.push(...(await measure(directory, file, name, threads, options)))
        } catch (error) {
          if (!(error instanceof AlbertkitError && error.kind === 'environment') || options.runners !== undefined)
            throw error
          notRun.push({ runner: name, reason: error.message })
        }
      }
    }
  }
  return { ok: true, directory, node: process.version, rows, notRun }
}
