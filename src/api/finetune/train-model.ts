import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { requireText } from '../../base/arguments.js'
import { AlbertkitError, usage } from '../../base/errors.js'
import { addSource, keepSources, refuseSources } from '../../base/sources.js'
import { refuseTaken } from '../../files/output-directory.js'
import { writes } from '../../files/write-port.js'
import { denseHeads } from '../../model/load/head.js'
import { forwardFlops } from '../../model/accounting/cost.js'
import { headsFor } from '../../model/tasks.js'
import { diagnoseOutcome, diagnoseStart } from '../../training/diagnosis.js'
import { QUICK_FLOPS } from '../../runtime/quick-flops.js'
import { fillMask } from '../../training/counted-random.js'
import { DEFAULT_SETTINGS } from '../../training/optimizer.js'
import { familyRules, frozenParameters, layerwiseFactors } from '../../training/rules.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { Evaluator } from './evaluator.js'
import { countLabels, factsOf, guessingLoss } from './facts.js'
import { fingerprintOf } from './fingerprint.js'
import { MetricsFile } from './metrics-file.js'
import type { TrainData, TrainOptions } from './options.js'
import { prepareModel, type PreparedModel } from './prepared-model.js'
import type { TrainReport } from './report.js'
import type { Scores } from './scores.js'
import { checkSettings } from './settings.js'
import { openTrainer } from './open-trainer.js'
import { loadState, newProgress } from './state.js'
import { SAVE_SECONDS, StateSaver } from './state-saver.js'
import { variablesOf } from './train-batches.js'
import { classesOf, dropoutOf, hasClasses, readSetup, targetSet, type TrainSetup } from './train-setup.js'
import { isLowerBetter, trainTaskRow } from './train-tasks.js'
import { gpuOf } from './train-runners.js'
import type { Trainer } from './trainer.js'
import { TrainingLoop } from './training-loop.js'
import { writeOutput } from './write-output.js'

/** Folder of the converted model in the output directory. */
const EXPORT_FOLDER = 'export'

/** Refuses options that make no run. @throws AlbertkitError `usage` */
export function checkOptions(options: Omit<TrainOptions, 'output'>): void {
  checkSettings(options)
  const { metric, task = 'classify' } = options
  const known = trainTaskRow(task).metrics
  if (metric !== undefined && !known.includes(metric))
    throw usage(`\`metric\` must be one of ${known.join(', ')} for ${task}`, { code: 'option-invalid' })
}

/** Steps of a run (run_classifier.py: `int(examples / batch · epochs)`), at least one. */
function stepsOf(examples: number, { steps, epochs = 3, batchSize = 32, accumulate = 1 }: TrainOptions): number {
  return steps ?? Math.max(1, Math.floor((examples / (batchSize * accumulate)) * epochs))
}

/** True if what is computed at a time takes so long that Ctrl-C must not wait for it. */
function takesLong({ model }: PreparedModel, setup: TrainSetup, { batchSize = 32 }: TrainOptions): boolean {
  const { task } = trainTaskRow(setup.task)
  return 3 * forwardFlops(model, headsFor(task), batchSize, setup.maxLength) > QUICK_FLOPS.native
}

function trainerOf(opened: OpenedModel, setup: TrainSetup, prepared: PreparedModel, options: TrainOptions) {
  const { task, loss } = trainTaskRow(setup.task)
  const { seed = 0, threads = 2, layerwiseDecay, freeze } = options
  const gpu = gpuOf(options)
  return openTrainer(prepared.model, prepared.values, {
    heads: headsFor(task),
    loss,
    settings: {
      ...DEFAULT_SETTINGS,
      optimizer: options.optimizer ?? DEFAULT_SETTINGS.optimizer,
      weightDecay: options.weightDecay ?? DEFAULT_SETTINGS.weightDecay,
    },
    rules: familyRules(opened.config.family),
    frozen: frozenParameters(prepared.model, freeze),
    ...(layerwiseDecay === undefined ? {} : { rateFactors: layerwiseFactors(prepared.model, layerwiseDecay) }),
    dropout: dropoutOf(opened, options.dropout),
    fillMask: (mask, place) => {
      fillMask(mask, seed, place)
    },
    // A GPU computes one part at a time.
    lanes: gpu === undefined ? threads : 1,
    gpu,
    apart: takesLong(prepared, setup, options),
  })
}

/** A run whose model and data are read. */
interface Run {
  readonly path: string
  readonly opened: OpenedModel
  readonly setup: TrainSetup
  readonly prepared: PreparedModel
  readonly trainer: Trainer
  readonly options: TrainOptions
  readonly fingerprint: string
}

/** Share of the most frequent prediction and label in the last evaluation. */
function outcomeOf({ setup }: Run, loop: TrainingLoop, scores: Scores) {
  const most = (values: readonly number[]): number => values.indexOf(Math.max(...values))
  const predicted = [...scores.byClass]
  const top = most(predicted)
  const counts = Object.values(countLabels(setup.dev!, setup.labels))
  const total = counts.reduce((a, b) => a + b, 0)
  const { progress } = loop
  return diagnoseOutcome({
    step: progress.step,
    topPrediction: {
      label: setup.labels[top] ?? '',
      share:
        (predicted[top] ?? 0) /
        Math.max(
          1,
          predicted.reduce((a, b) => a + b, 0),
        ),
    },
    topLabelShare: Math.max(...counts) / Math.max(1, total),
    trainAccuracy: progress.trainCount === 0 ? 0 : progress.trainRight / progress.trainCount,
    devAccuracy: scores.right / Math.max(1, scores.count),
    devExamples: scores.count,
  })
}

/** Makes the loop of a run, from its start or from a saved state. */
async function makeLoop(run: Run, evaluator: Evaluator | null, metrics: MetricsFile): Promise<TrainingLoop> {
  const { setup, prepared, trainer, options, fingerprint } = run
  const train = targetSet(setup, setup.train)
  const dev = setup.dev === null ? null : targetSet(setup, setup.dev)
  const { batchSize = 32, accumulate = 1, seed = 0, output, threads = 2 } = options
  const totalSteps = stepsOf(train.examples.length, options)
  const perEpoch = Math.max(1, Math.floor(train.examples.length / (batchSize * accumulate)))
  const schedule = {
    learningRate: options.learningRate ?? 2e-5,
    trainSteps: totalSteps,
    warmupSteps: Math.floor(totalSteps * (options.warmup ?? 0.1)),
  }
  const loaded = options.resume === true ? await loadState(output, trainer, fingerprint) : null
  const { progress, best } = loaded ?? { progress: newProgress(), best: null }
  const every = 1000 * (options.saveEvery ?? SAVE_SECONDS)
  const saver = new StateSaver({ directory: output, trainer, fingerprint, every }, loaded?.progress.step ?? null)
  for (const step of progress.steps) {
    metrics.step(step)
    const point = progress.evaluations.find((one) => one.step === step.step)
    if (point !== undefined) metrics.evaluation(point)
  }
  return new TrainingLoop(
    {
      trainer,
      train,
      dev: dev === null || dev.examples.length === 0 ? null : dev,
      evaluator,
      schedule,
      totalSteps,
      batchSize,
      accumulate,
      seed,
      evalEvery: options.evalEvery ?? perEpoch,
      metric: options.metric ?? trainTaskRow(setup.task).metrics[0]!,
      patience: options.patience ?? Infinity,
      guessing: setup.task === 'classify' ? guessingLoss(countLabels(setup.train, setup.labels)) : null,
      signal: options.signal,
      events: {
        ...options,
        onStep: (step) => {
          const { totalSteps: _t, accuracy: _a, examplesPerSecond: _e, secondsLeft: _s, ...own } = step
          metrics.step(own)
          options.onStep?.(step)
        },
        onEvaluation: (point) => {
          metrics.evaluation(point)
          options.onEvaluation?.(point)
        },
      },
      saver,
      locate: async (rows) => {
        await trainer.sync()
        const finder = await Evaluator.open(prepared.model, prepared.values, { task: setup.task, threads, inner: true })
        try {
          return await finder.firstNonFinite(train, rows)
        } finally {
          await finder.close()
        }
      },
    },
    progress,
    best,
  )
}

/** Converts a trained model and verifies the result; null if no format was asked for. */
async function exportTrained(options: TrainOptions, setup: TrainSetup): Promise<TrainReport['exported']> {
  const { exports: targets = [], output, signal } = options
  if (targets.length === 0) return null
  const { convertModel } = await import('../convert/convert.js')
  const directory = join(output, EXPORT_FOLDER)
  const { task } = trainTaskRow(setup.task)
  const report = await convertModel(output, directory, { targets, task, signal, force: true })
  return { ok: report.ok, output: directory, targets: [...targets] }
}

/** Removes what a run that writes no model has begun. */
function cleanUp(metrics: MetricsFile, output: string): void {
  metrics.discard()
  try {
    writes.removeFolder(output)
  } catch {
    // Something else is in there.
  }
}

/** Runs the loop and writes the result. */
async function trainRun(run: Run, evaluator: Evaluator | null, metrics: MetricsFile): Promise<TrainReport> {
  const { path, opened, setup, prepared, trainer, options } = run
  // Of the weights before training: a run that goes on must find what it found at first.
  const facts = factsOf(setup.train, setup.dev, prepared, {
    labels: setup.labels,
    learningRate: options.learningRate ?? 2e-5,
    optimizer: options.optimizer ?? 'adamw',
    maxLength: setup.maxLength,
    hasClasses: hasClasses(setup),
    // A head that is replaced on purpose needs no word.
    unreadHeads: options.newHead === true ? [] : denseHeads(opened.source, opened.identification),
  })
  const loop = await makeLoop(run, evaluator, metrics)
  const { totalSteps, metric } = loop.plan
  const variables = variablesOf(prepared, trainer)
  const common = { model: path, family: opened.config.family, runner: trainer.detail, variables, totalSteps }
  options.onStart?.(common)
  for (const note of [...prepared.notes, ...opened.leftOut]) options.onNote?.(note)
  loop.diagnose(diagnoseStart(facts))
  const ok = await loop.run()
  await trainer.sync()
  if (ok && loop.lastScores !== null && setup.task === 'classify') loop.diagnose(outcomeOf(run, loop, loop.lastScores))
  const { progress, best } = loop
  const bestPoint = progress.evaluations.findLast((point) => point.best)
  const writes = ok || best !== null
  // A run that failed must not go on from the weights that are written.
  if (!ok) loop.forget()
  if (best !== null) for (const [parameter, values] of best) prepared.values.get(parameter)!.set(values)
  const { train, dev } = setup
  const report: Omit<TrainReport, 'files'> = {
    ok,
    ...common,
    task: setup.task,
    optimizer: options.optimizer ?? 'adamw',
    seed: options.seed ?? 0,
    labels: setup.labels,
    train: { file: train.file, examples: train.examples.length, bad: train.bad.length, truncated: train.cut },
    dev: dev === null ? null : { file: dev.file, examples: dev.examples.length, bad: dev.bad.length },
    steps: progress.steps,
    evaluations: progress.evaluations,
    bestStep: writes ? (bestPoint?.step ?? progress.step) : null,
    metrics: bestPoint?.metrics ?? null,
    diagnoses: loop.diagnoses,
    exported: null,
    output: options.output,
    notes: [...prepared.notes, ...opened.leftOut],
  }
  if (!writes) {
    await loop.plan.saver.remove()
    cleanUp(metrics, options.output)
    return { ...report, files: [] }
  }
  const notes = await writeOutput(run, report, isLowerBetter(metric) ? 'lowest' : 'highest', metrics).finally(() => {
    loop.forget()
  })
  await loop.plan.saver.remove()
  const exported = await exportTrained(options, setup)
  const files = readdirSync(options.output, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => ({ path: name, bytes: statSync(join(options.output, name)).size }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  return { ...report, ok: exported?.ok ?? true, exported, files, notes: [...report.notes, ...notes] }
}

/**
 * Trains a model on labelled lines, as run_classifier.py's `do_train` does, and writes it in its own format and names.
 * The same model, data, options and seed give the same bytes, with any number of threads, interrupted or not.
 * @param path model to start from
 * @throws AlbertkitError `usage`, `malformed`, `unsupported`, `environment`, `output`; `interrupted` after the state
 *   was saved in `output`
 */
export function trainModel(path: string, data: TrainData, options: TrainOptions): Promise<TrainReport> {
  return keepSources(() => train(path, data, options))
}

async function train(path: string, data: TrainData, options: TrainOptions): Promise<TrainReport> {
  requireText('path', path)
  requireText('output', options.output)
  checkOptions(options)
  const { output, seed = 0, threads = 2, resume = false, force = false, newHead = false } = options
  if (!resume) refuseTaken(output, force)
  // The task of the run decides the head that is trained, not what the head of the source is taken for.
  const { task: _task, labels: _labels, ...reading } = options
  const opened = await openModel(path, reading)
  for (const path of [data.train, data.dev]) if (path !== undefined) addSource(path)
  try {
    refuseSources(opened.source.files.map((file) => join(output, basename(file))))
    refuseSources([join(output, basename(opened.rawConfig.file)), ...(options.pictures ?? [])])
    const setup = await readSetup(opened, data, options)
    const { task } = trainTaskRow(setup.task)
    const prepared = prepareModel(opened, { task, classes: classesOf(setup), seed, newHead })
    const fingerprint = fingerprintOf(opened, data, options)
    const trainer = await trainerOf(opened, setup, prepared, options)
    const evaluator =
      setup.dev === null
        ? null
        : await Evaluator.open(prepared.model, prepared.values, {
            ...{ task: setup.task, threads },
            apart: takesLong(prepared, setup, options),
          })
    try {
      const metrics = new MetricsFile(output, options.tensorboard)
      try {
        return await trainRun({ path, opened, setup, prepared, trainer, options, fingerprint }, evaluator, metrics)
      } catch (error) {
        // An interrupted run stays, to be continued.
        if (!(error instanceof AlbertkitError && error.kind === 'interrupted')) cleanUp(metrics, output)
        throw error
      } finally {
        metrics.close()
      }
    } finally {
      await trainer.close()
      await evaluator?.close()
    }
  } finally {
    opened.close()
  }
}
