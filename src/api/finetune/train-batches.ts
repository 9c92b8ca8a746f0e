import { readdirSync, statSync } from 'node:fs'
import { keepSources, refuseSources } from '../../base/sources.js'
import { basename, join } from 'node:path'
import { requireText } from '../../base/arguments.js'
import { stopIfAborted, type Abortable } from '../../base/abort.js'
import { usage } from '../../base/errors.js'
import { refuseExisting, writeWhole } from '../../files/atomic-file.js'
import { disk, diskPath } from '../../files/disk.js'
import { OutputDirectory, refuseTaken } from '../../files/output-directory.js'
import { writeSafetensors } from '../../formats/safetensors/write.js'
import { headsFor } from '../../model/tasks.js'
import type { Parameter } from '../../model/albert.js'
import { elementCount } from '../../formats/core/source.js'
import { rateOf } from '../../training/schedule.js'
import { slotSuffixes } from '../../training/rules.js'
import { concatBytes } from '../../base/bytes.js'
import { openModel, type OpenedModel, type OpenModelOptions } from '../open/open.js'
import { openSource } from '../open/source.js'
import { GivenBatches } from './given-batches.js'
import { prepareModel, type PreparedModel } from './prepared-model.js'
import { readRecipe, type Recipe } from './recipe.js'
import type { BatchesReport, StepReport, VariablesReport } from './report.js'
import { gpuOf, type TrainRunner } from './train-runners.js'
import { openTrainer } from './open-trainer.js'
import type { Trainer } from './trainer.js'
import { namedTensors, writeTrained } from './write-checkpoint.js'

export interface TrainBatchesOptions extends OpenModelOptions, Abortable {
  /** Steps to take; default one for every batch of the file. */
  readonly steps?: number
  /** Directory for the trained checkpoint; nothing is written without it. */
  readonly output?: string
  /** File for the gradients of the first step, before clipping. */
  readonly saveGradients?: string
  /** Write the optimizer's slots and `global_step` into a TensorFlow checkpoint; default true. */
  readonly slots?: boolean
  /** Threads inside an operation; default 1. */
  readonly threads?: number
  /** Runtime; default `onnxruntime`, on the CPU. */
  readonly runner?: TrainRunner
  /** Accept a GPU that the processor pretends to be. */
  readonly allowSoftware?: boolean
  readonly seed?: number
  readonly force?: boolean
  readonly onStep?: (step: StepReport) => void
}

/** Writes gradients as safetensors, under the names and in the shapes of the source. */
export function writeGradients(
  file: string,
  opened: OpenedModel,
  gradients: ReadonlyMap<Parameter, Float32Array>,
  force: boolean,
): void {
  const tensors = namedTensors(opened, gradients)
  const parts: Uint8Array[] = []
  const bytesOf = new Map(tensors.map(({ name, data }) => [name, data]))
  writeSafetensors(
    (bytes) => parts.push(bytes),
    tensors,
    ({ name }, put) => {
      const data = bytesOf.get(name)!
      put(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    },
  )
  writeWhole(file, concatBytes(parts), force)
}

/** Variables of a run. */
export function variablesOf(prepared: PreparedModel, trainer: Trainer): VariablesReport {
  const { trained } = trainer
  return {
    trained: trained.length,
    frozen: trainer.graph.parameters.length - trained.length,
    parameters: trained.reduce((sum, { parameter }) => sum + elementCount(parameter.storedShape), 0),
    created: prepared.created.map(({ variable }) => variable),
  }
}

/** Runs the steps; calls `onFirst` after the gradients of the first one. */
async function runSteps(
  trainer: Trainer,
  prepared: PreparedModel,
  batches: GivenBatches,
  { schedule }: Recipe,
  options: TrainBatchesOptions & { readonly steps: number; readonly onFirst: () => Promise<void> },
): Promise<StepReport[]> {
  const { task } = batches
  const steps: StepReport[] = []
  for (let step = 0; step < options.steps; step++) {
    stopIfAborted(options.signal)
    const batch = batches.read(prepared.model, step, task)
    const { loss, gradientNorm } = await trainer.computeGradients([batch], step)
    if (step === 0) await options.onFirst()
    const learningRate = rateOf(step, schedule)
    await trainer.update(learningRate, gradientNorm)
    const report = { step: step + 1, loss, gradientNorm, learningRate }
    steps.push(report)
    options.onStep?.(report)
  }
  return steps
}

/**
 * Trains a model on batches that are given, by a recipe: the arithmetic of run_classifier.py without its input, for
 * comparison with the original code.
 * @param path model to start from
 * @param batchesFile safetensors with `input_ids_0`, `input_mask_0`, `segment_ids_0`, `label_ids_0` …
 * @param recipeFile JSON with `init_learning_rate`, `train_steps` …
 * @throws AlbertkitError
 */
export function trainBatches(
  path: string,
  batchesFile: string,
  recipeFile: string,
  options: TrainBatchesOptions = {},
): Promise<BatchesReport> {
  return keepSources(() => takeBatches(path, batchesFile, recipeFile, options))
}

async function takeBatches(
  path: string,
  batchesFile: string,
  recipeFile: string,
  options: TrainBatchesOptions,
): Promise<BatchesReport> {
  requireText('path', path)
  const { output, saveGradients, force = false, seed = 0, threads = 1 } = options
  if (output !== undefined) refuseTaken(output, force)
  if (saveGradients !== undefined) refuseExisting(saveGradients, force)
  const recipe = readRecipe(disk, diskPath(recipeFile))
  const source = await openSource(batchesFile)
  try {
    const batches = new GivenBatches(source)
    const given = batches.task
    const { count } = batches
    const { steps = count } = options
    if (steps > count)
      throw usage(`${steps} steps are asked for, but the file has ${count} batches`, {
        code: 'option-conflict',
        file: batchesFile,
      })
    const opened = await openModel(path, { ...options, task: given.task })
    try {
      if (output !== undefined) refuseSources(opened.source.files.map((file) => join(output, basename(file))))
      refuseSources([saveGradients])
      const classes = batches.classes(given, recipe.classes)
      const prepared = prepareModel(opened, { task: given.task, classes, seed })
      const trainer = await openTrainer(prepared.model, prepared.values, {
        heads: headsFor(given.task),
        loss: given.loss,
        settings: recipe.settings,
        rules: recipe.rules(opened.config.family),
        threads,
        gpu: gpuOf(options),
      })
      try {
        const onFirst = async (): Promise<void> => {
          if (saveGradients !== undefined) writeGradients(saveGradients, opened, await trainer.readGradients(), force)
        }
        const taken = await runSteps(trainer, prepared, batches, recipe, { ...options, steps, onFirst })
        await trainer.sync()
        const written =
          output === undefined
            ? null
            : await writeOutput({ opened, prepared, recipe, trainer, output, options: { ...options, steps }, given })
        return {
          ok: taken.every(({ loss }) => Number.isFinite(loss)),
          model: path,
          family: opened.config.family,
          task: given.task,
          optimizer: recipe.settings.optimizer,
          runner: trainer.detail,
          variables: variablesOf(prepared, trainer),
          steps: taken,
          output: output ?? null,
          files: written?.files ?? [],
          notes: [...prepared.notes, ...opened.leftOut, ...(written?.notes ?? [])],
        }
      } finally {
        await trainer.close()
      }
    } finally {
      opened.close()
    }
  } finally {
    source.close()
  }
}

interface Finished {
  readonly opened: OpenedModel
  readonly prepared: PreparedModel
  readonly recipe: Recipe
  readonly trainer: Trainer
  readonly output: string
  readonly options: TrainBatchesOptions & { readonly steps: number }
  readonly given: GivenBatches['task']
}

async function writeOutput({ opened, prepared, recipe, trainer, output, options, given }: Finished) {
  const { force = false, slots = true, steps } = options
  const suffixes = recipe.slots ?? slotSuffixes(recipe.settings.optimizer, opened.config.family)
  const directory = new OutputDirectory(output, { force })
  try {
    const notes = await writeTrained(
      {
        opened,
        prepared,
        task: given.task,
        labels: null,
        ...(slots ? { slots: { suffixes, states: trainer.trained, globalStep: steps } } : {}),
      },
      directory.staging,
    )
    const files = readdirSync(directory.staging)
      .sort()
      .map((path) => ({ path, bytes: statSync(join(directory.staging, path)).size }))
    await directory.flush()
    directory.commit()
    return { files, notes: notes.filter((note) => !note.startsWith('no tokenizer')) }
  } catch (error) {
    throw directory.named(error)
  } finally {
    directory.discard()
  }
}
