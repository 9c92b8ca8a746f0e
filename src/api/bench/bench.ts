import { requireText } from '../../base/arguments.js'
import { stoppable, type Abortable, type OnProgress } from '../../base/abort.js'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { graphLayout, GRAPH_TARGETS, inFolder, isArtefactName, type GraphTarget } from '../../base/artefact-layout.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { ErrorCode } from '../../base/error-codes.js'
import { AlbertkitError, isEnvironment, malformed, noDirectory, usage } from '../../base/errors.js'
import { runnerInfo, RUNNERS, type RunnerOptions } from '../../runtime/runners.js'
import { disk, diskPath } from '../../files/disk.js'
import { readPlainText } from '../../files/plain-text.js'
import { fetchedDirectory } from '../open/fetched.js'
import { refuseChanged } from '../open/manifest-files.js'
import { examineModel, type ExaminedModel, type OpenModelOptions } from '../open/open.js'
import { measureApart } from './apart.js'
import type { BenchReport, BenchRow } from './report.js'

export type { BenchReport, BenchRow } from './report.js'

export interface BenchOptions
  extends
    Abortable,
    Pick<RunnerOptions, 'adapter' | 'allowSoftware' | 'browser'>,
    Pick<OpenModelOptions, 'scope' | 'head' | 'ema' | 'mergeLora' | 'ignore' | 'checksum'> {
  /** Names of runners; default: the first for each target. */
  readonly runners?: readonly string[]
  /** Batch sizes to measure. */
  readonly batches?: readonly number[]
  /** Sequence lengths to measure; default 32 and 128, as far as the model has positions. */
  readonly lengths?: readonly number[]
  /** Threads per operation, for runtimes that take this setting. */
  readonly threads?: readonly number[]
  /** Number of measured runs, after two warm-up runs. */
  readonly runs?: number
  /** Milliseconds that the median of a run may take. */
  readonly maxP50?: number
  readonly onProgress?: OnProgress
}

/** Default sequence lengths. */
const LENGTHS = [32, 128]

/** Sentences on the rows whose median exceeds `maxP50` milliseconds. */
const slowRows = (rows: readonly BenchRow[], maxP50: number): string[] =>
  rows
    .filter(({ p50 }) => p50 > maxP50)
    .map(({ file, runner, batch, length, p50 }) => {
      return `${file} in ${runner}, ${batch} × ${length}: ${Number(p50.toPrecision(3))} ms, above ${maxP50}`
    })

/** Model file of a directory. */
interface GraphFile {
  /** Path relative to the directory. */
  readonly file: string
  readonly target: GraphTarget
}

function graphsIn(directory: string): GraphFile[] {
  const files = GRAPH_TARGETS.flatMap((target) => {
    const layout = graphLayout(target)
    const folder = join(directory, layout.folder)
    const names = existsSync(folder) ? readdirSync(folder) : []
    return names
      .filter((name) => isArtefactName(layout, name))
      .map((name) => ({ file: inFolder(layout, name), target }))
  })
  return files.sort((a, b) => (a.file < b.file ? -1 : 1))
}

/** Number of positions of the model in a directory; infinite if its configuration does not give it. */
function positionsOf(directory: string): number {
  try {
    const config = JSON.parse(readPlainText(join(directory, 'config.json'))) as Record<string, unknown>
    const { max_position_embeddings: positions } = config
    return typeof positions === 'number' ? positions : Infinity
  } catch {
    return Infinity
  }
}

/** Sequence lengths to measure. @throws AlbertkitError `usage` if one exceeds the model's positions */
function lengthsFor(directory: string, asked?: readonly number[]): readonly number[] {
  const most = positionsOf(directory)
  const beyond = asked?.find((length) => length > most)
  if (beyond !== undefined)
    throw usage(`the model has ${most} positions, but ${beyond} tokens were requested`, { code: 'sequence-too-long' })
  return asked ?? [...new Set(LENGTHS.map((length) => Math.min(length, most)))]
}

/** Errors of a model that has parts which albertkit does not compute. */
const OTHER_MODEL: readonly ErrorCode[] = ['tensor-unknown', 'architecture-unsupported']

/**
 * Notes on contents of the directory that its model files do not use. Files of other programs are measured too: what
 * cannot be opened as a model has no notes.
 * @throws AlbertkitError `unsupported` if they compute something else than the model in the directory
 */
async function notesOf(directory: string, options: BenchOptions): Promise<readonly string[]> {
  let examined: ExaminedModel
  try {
    const { scope, head, ema, mergeLora, ignore } = options
    const selection = omitUndefined({ scope, head, ema, mergeLora, ignore })
    examined = await examineModel(directory, { ...selection, checksum: false, allowMissingData: true })
  } catch (error) {
    if (error instanceof AlbertkitError && OTHER_MODEL.includes(error.code)) throw error
    return []
  }
  examined.close()
  if (examined.refusal !== null) throw examined.refusal
  return examined.leftOut
}

/**
 * Measures the model files of a directory on this machine: latency, throughput, load time and memory.
 * @throws AlbertkitError `malformed` if there is none, or one does not run; `usage`
 */
export async function benchModel(directory: string, asked: BenchOptions = {}): Promise<BenchReport> {
  requireText('directory', directory)
  const options = stoppable(asked)
  const { path, close } = await fetchedDirectory(directory)
  try {
    return { ...(await benchHere(path, options)), directory }
  } finally {
    close()
  }
}

async function benchHere(directory: string, options: BenchOptions): Promise<BenchReport> {
  if (!existsSync(directory)) throw noDirectory(directory)
  const notes = await notesOf(directory, options)
  const graphs = graphsIn(directory)
  if (graphs.length === 0)
    throw malformed('the directory holds no model that runs', {
      code: 'model-not-found',
      file: directory,
      hint: `give the directory that \`convert\` wrote with \`targets\` ${GRAPH_TARGETS.join(' or ')}`,
    })
  const changed =
    options.checksum === false
      ? null
      : await refuseChanged(
          disk,
          graphs.map(({ file }) => diskPath(join(directory, file))),
        )
  if (changed !== null) throw changed
  const able = RUNNERS.filter(({ artefact }) => graphs.some(({ target }) => target === artefact))
  for (const name of options.runners ?? [])
    if (!able.some((r) => r.name === name))
      throw usage(`${name} has nothing to run here`, {
        code: 'name-unknown',
        hint: `runners for this: ${able.map((r) => r.name).join(', ')}`,
      })
  const { batches = [1, 8], runs = 20, adapter, allowSoftware, browser } = options
  const gpu = omitUndefined({ adapter, allowSoftware, browser })
  const lengths = lengthsFor(directory, options.lengths)
  const rows: BenchRow[] = []
  const notRun: { runner: string; reason: string }[] = []
  for (const { file, target } of graphs) {
    const names = options.runners ?? [able.find((r) => r.artefact === target)?.name ?? '']
    for (const name of names.filter((n) => able.some((r) => r.name === n && r.artefact === target))) {
      // Other runtimes have one thread: TensorFlow.js in Node always, a web page without special headers.
      for (const threads of runnerInfo(name).threads ? (options.threads ?? [1]) : [1]) {
        try {
          const task = { directory, file, runner: name, threads, batches, lengths, runs, ...gpu }
          rows.push(...(await measureApart(task, options)))
        } catch (error) {
          if (!isEnvironment(error) || options.runners !== undefined) throw error
          notRun.push({ runner: name, reason: error.message })
        }
      }
    }
  }
  const { maxP50 } = options
  if (maxP50 === undefined) return { ok: true, directory, node: process.version, rows, notRun, notes }
  const missed = slowRows(rows, maxP50)
  return { ok: missed.length === 0, directory, node: process.version, rows, missed, notRun, notes }
}
