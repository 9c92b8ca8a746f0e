import { stoppable, progressStep } from '../../base/abort.js'
import { keepSources, refuseSources } from '../../base/sources.js'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckpointTarget } from '../../base/artefact-layout.js'
import { TARGET_NAMES, artefactPath } from '../../base/artefact-layout.js'
import { malformed, noDirectory } from '../../base/errors.js'
import { readManifest } from '../output-manifest.js'
import { outputNames } from '../../model/outputs.js'
import { ALL_HEADS, classifierKindOf, headsFor, TASK_NAMES, type ResolvedTask, type Task } from '../../model/tasks.js'
import { inputShape } from '../../model/reference/run.js'
import { disk, diskPath } from '../../files/disk.js'
import { fetchedDirectory } from '../open/fetched.js'
import { refuseChanged } from '../open/manifest-files.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { compute } from '../reference/compute.js'
import { referenceProgress } from './progress.js'
import { checkWeights } from './artefacts.js'
import { fixedLengths, graphsIn } from './graphs.js'
import { checkQuantised } from './quantised.js'
import { firstDivergence, layersOf } from './divergence.js'
import { checkFile, checkpointsIn, fileRunner } from './files.js'
import type { ArtefactWeightCheck, NotRun, VerifyOptions, VerifyReport } from './report.js'
import { requireGpu, runRunners, Verification } from './running.js'
import { saveTestCase } from './save.js'
import { makeTestCases } from './test-cases.js'

export type {
  ArtefactWeightCheck,
  Divergence,
  LayerReport,
  NotRun,
  OperationReport,
  RuntimeReport,
  VerifyOptions,
  VerifyReport,
} from './report.js'

const leftOut = (target: CheckpointTarget): NotRun => ({
  runner: fileRunner(target),
  reason: 'not among the requested runners; add `runners` reference to run it',
})

/** Compares the reference itself with the arbiter, if that is a golden or another model. */
async function compareReference(opened: OpenedModel, v: Verification): Promise<void> {
  const { options, testCases } = v
  const hasArbiter = options.golden !== undefined || options.referenceModel !== undefined
  if (!hasArbiter || options.runners?.includes('reference') === false) return
  const runs = { kind: 'runs', inputs: testCases.map(({ inputs }) => inputs), heads: ALL_HEADS } as const
  const values = await compute(runs, opened, referenceProgress(options))
  for (const [i, testCase] of testCases.entries()) await v.compareRun('reference', testCase, values[i] ?? new Map())
}

/** Report of a verification whose comparisons are done. */
function reportOf(
  opened: OpenedModel,
  v: Verification,
  weights: readonly ArtefactWeightCheck[],
  told: readonly string[],
): VerifyReport {
  const { comparisons, notRun, operations, wrong, options, testCases } = v
  const notes = [...told]
  if (options.golden !== undefined && comparisons.length === 0) {
    const names = outputNames(opened.model, v.heads).join(', ')
    notes.push(`the golden has none of the model's outputs: ${names}, or their TensorFlow names`)
  }
  const looked = options.layers === true || options.bisect === true
  return {
    ok: comparisons.length > 0 && wrong.length === 0 && [...comparisons, ...weights].every(({ ok }) => ok),
    family: opened.config.family,
    golden: options.golden ?? null,
    ...(options.referenceModel === undefined ? {} : { against: options.referenceModel }),
    ...(options.saveGolden === undefined ? {} : { saved: options.saveGolden }),
    inputs: testCases.map(({ inputs }) => inputShape(inputs, inputs.choices !== undefined)),
    runtimes: v.runtimes,
    comparisons,
    weights,
    notRun,
    notes: [...opened.notes, ...notes, ...v.notes],
    ...(looked ? { layers: layersOf(comparisons) } : {}),
    ...(operations.length > 0 ? { operations } : {}),
    ...(looked ? { firstDivergent: firstDivergence(comparisons, wrong) } : {}),
  }
}

/** Verifies an opened model, and its artefacts in `directory` if one is given. */
export async function verifyOpened(
  opened: OpenedModel,
  directory: string | null,
  options: VerifyOptions = {},
  task?: ResolvedTask,
): Promise<VerifyReport> {
  const graphs = directory === null ? [] : graphsIn(directory)
  const exact = graphs.filter(({ precision }) => precision === 'f32').map(({ target }) => target)
  const kinds = directory === null ? null : exact
  const weights: ArtefactWeightCheck[] = []
  for (const kind of directory === null ? [] : exact) {
    options.onProgress?.(progressStep('comparing weights', kind))
    if (directory !== null) weights.push(checkWeights(opened, directory, kind))
  }
  const files = directory === null ? [] : checkpointsIn(directory)
  const quantised = graphs.filter(({ precision }) => precision !== 'f32')
  // A graph has the heads of its task, a checkpoint has all heads.
  const heads = task === undefined || files.length > 0 ? ALL_HEADS : headsFor(task)
  const lengths = fixedLengths(directory, graphs)
  const { testCases, notes } = await makeTestCases(opened, heads, { ...options, lengths })
  const [widest] = testCases
  if (options.saveGolden !== undefined && widest !== undefined)
    saveTestCase(options.saveGolden, widest, options.force === true)
  const v = new Verification(opened, testCases, heads, options)
  await compareReference(opened, v)
  await runRunners(
    directory,
    kinds,
    quantised.map(({ target }) => target),
    v,
  )
  for (const graph of quantised)
    if (directory !== null) weights.push(await checkQuantised(opened, directory, graph, heads, v))
  requireGpu(v)
  for (const target of directory === null ? [] : files) {
    if (options.runners?.includes('reference') === false) v.notRun.push(leftOut(target))
    else if (directory !== null) weights.push(await checkFile(opened, directory, target, heads, v))
  }
  return reportOf(opened, v, weights, notes)
}

/** Task of the artefacts in a directory, if their manifest gives it. */
function taskOf(directory: string | null): { task?: Task } {
  const artefacts = directory === null ? {} : (readManifest(directory)?.artefacts ?? {})
  const task = Object.values(artefacts)
    .map((artefact) => TASK_NAMES.find((name) => name === artefact.task))
    .find((name) => classifierKindOf(name) !== undefined)
  return task === undefined ? {} : { task }
}

/** Note on artefacts that are not as they were converted; that their results are right is what is verified. */
async function changesIn(directory: string | null, { checksum }: VerifyOptions): Promise<string[]> {
  if (directory === null || checksum === false) return []
  const paths = [
    ...graphsIn(directory).map(({ file }) => file),
    ...checkpointsIn(directory).map((target) => artefactPath(target)),
  ]
  const changed = await refuseChanged(
    disk,
    paths.map((path) => diskPath(join(directory, path))),
  )
  return changed === null ? [] : [changed.message]
}

/**
 * Verifies a model: against a golden, or against the float64 reference through every runtime that can run its
 * artefacts in `directory`; without artefacts, the source runs through eager TensorFlow.js.
 * @throws AlbertkitError if something cannot be read or run; a failed comparison is a report with `ok: false`
 */
export function verifyModel(path: string, directory: string | null, asked: VerifyOptions = {}): Promise<VerifyReport> {
  return keepSources(() => verify(path, directory, asked))
}

async function verify(path: string, artefacts: string | null, asked: VerifyOptions): Promise<VerifyReport> {
  const options = stoppable(asked)
  const fetched = artefacts === null ? null : await fetchedDirectory(artefacts)
  try {
    return await verifyHere(path, fetched?.path ?? null, options)
  } finally {
    fetched?.close()
  }
}

async function verifyHere(path: string, directory: string | null, options: VerifyOptions): Promise<VerifyReport> {
  if (directory !== null && !existsSync(directory)) throw noDirectory(directory)
  if (directory !== null && graphsIn(directory).length + checkpointsIn(directory).length === 0)
    throw malformed('the directory holds no artefact', {
      code: 'model-not-found',
      file: directory,
      hint: `an artefact is ${TARGET_NAMES.map((name) => artefactPath(name)).join(', ')}, as \`convert\` writes them`,
    })
  const opened = await openModel(path, { ...taskOf(directory), ...options })
  try {
    refuseSources([options.saveGolden])
    const report = await verifyOpened(opened, directory, options)
    return { ...report, notes: [...report.notes, ...(await changesIn(directory, options))] }
  } finally {
    opened.close()
  }
}
