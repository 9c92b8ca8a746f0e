import { progressStep } from '../../base/abort.js'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  artefactPath,
  checkpointLayout,
  CHECKPOINT_TARGETS,
  inFolder,
  type CheckpointTarget,
  type Target,
} from '../../base/artefact-layout.js'
import { AlbertkitError } from '../../base/errors.js'
import { PlannedSource } from '../../export/checkpoint/planned-source.js'
import { CHECKPOINT_PRECISIONS, inPrecision, type CheckpointPrecision } from '../../export/checkpoint/rounding.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { ModelConfig } from '../../model/config.js'
import { hiddenStateCount, resolveTask } from '../../model/outputs.js'
import { retyped } from '../../model/tensors/rebind.js'
import { translate } from '../../model/rewrite/translate.js'
import type { Translation } from '../../model/rewrite/translation.js'
import type { HeadSelection } from '../../model/tasks.js'
import { compareFile } from '../../compare/files.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { compute } from '../reference/compute.js'
import { referenceProgress } from './progress.js'
import type { ArtefactWeightCheck } from './report.js'
import type { Verification } from './running.js'

/** Checkpoint targets present in a directory. */
export const checkpointsIn = (directory: string): CheckpointTarget[] =>
  CHECKPOINT_TARGETS.filter((target) => existsSync(join(directory, artefactPath(target))))

/** Paths of a checkpoint in `directory` and of its configuration, which may be absent. */
function pathsOf(directory: string, target: CheckpointTarget): { readonly model: string; readonly config: string } {
  const layout = checkpointLayout(target)
  const configs = layout.configs.map((name) => join(directory, inFolder(layout, name)))
  const config = configs.find((file) => existsSync(file)) ?? configs[configs.length - 1] ?? ''
  return { model: join(directory, artefactPath(target)), config }
}

/** Runner name in the comparisons of a file, which the reference runs from the written bytes. */
export const fileRunner = (target: Target): string => `reference(${target})`

/**
 * Expected contents of the file: the model under other names, or in the architecture that its configuration gives.
 * @throws AlbertkitError `unsupported` if the source cannot be translated
 */
function planOf({ model, source }: OpenedModel, written: ModelConfig, target: CheckpointTarget): Translation {
  const { config } = model
  const fields = [
    'architecture',
    'embedding_size',
    'num_hidden_layers',
    'num_hidden_groups',
    'inner_group_num',
  ] as const
  if (target === 'safetensors' && fields.some((field) => config[field] !== written[field]))
    return translate(model, source, target, written.architecture)
  try {
    return translate(model, source, target)
  } catch (error) {
    if (!(error instanceof AlbertkitError && error.kind === 'unsupported') || target === 'tf') throw error
    return translate(model, source, target, written.architecture)
  }
}

/** The plan in the file's element types, and their name unless they are the source's. */
function inTypesOf(
  written: TensorSource,
  plan: Translation,
  source: TensorSource,
): { readonly plan: Translation; readonly precision: CheckpointPrecision | null } {
  const fits = ({ tensors }: Translation): boolean =>
    tensors.every(({ name, dtype }) => (written.tensors.get(name)?.dtype ?? dtype) === dtype)
  if (fits(plan)) return { plan, precision: null }
  const kinds = new Set([...written.tensors.values()].map(({ dtype }) => dtype))
  for (const precision of CHECKPOINT_PRECISIONS) {
    if (precision !== 'f32' && !kinds.has(precision === 'f16' ? 'F16' : 'BF16')) continue
    const other = inPrecision(plan, source, precision)
    if (fits(other)) return { plan: other, precision }
  }
  return { plan, precision: null }
}

/**
 * Checks one file of named weights: opens it like any model, compares every tensor bit for bit with the source's, and
 * runs it in the reference on the test cases of `v`. In another element type every tensor must be the source's,
 * rounded; the reference then runs the file's names, layouts and configuration with the values before rounding.
 * @throws AlbertkitError if it cannot be read
 */
export async function checkFile(
  opened: OpenedModel,
  directory: string,
  target: CheckpointTarget,
  heads: HeadSelection,
  v: Verification,
): Promise<ArtefactWeightCheck> {
  const paths = pathsOf(directory, target)
  // A checkpoint does not record the kind of its classifier: the source's is taken.
  const task = resolveTask(opened.model, 'auto')
  const written = await openModel(paths.model, { config: paths.config, task, manifest: false })
  try {
    const full = planOf(opened, written.config, target)
    const { plan, precision } = inTypesOf(written.source, full, opened.source)
    v.options.onProgress?.(progressStep('comparing weights', target))
    const check = await compareFile(opened.source, written.source, plan.tensors)
    const source = precision === null ? written.source : new PlannedSource(full.tensors, opened.source)
    const model = precision === null ? written.model : retyped(written.model, source)
    const dtype = precision === null || precision === 'f32' ? undefined : precision
    const runner = fileRunner(target)
    const sameStates = hiddenStateCount(opened.model) === hiddenStateCount(written.model)
    const runs = { kind: 'runs', inputs: v.testCases.map(({ inputs }) => inputs), heads } as const
    const values = await compute(runs, { model, source }, referenceProgress(v.options, 'running', runner))
    for (const [i, testCase] of v.testCases.entries()) {
      const run = new Map(values[i])
      // transformers has one state for all inner layers of a layer; the last is compared as last_hidden_state.
      if (!sameStates) for (const name of run.keys()) if (name.startsWith('hidden_state_')) run.delete(name)
      // On rows masked everywhere, TensorFlow's −10000 and transformers' lowest float32 give different results.
      const skipMasked = written.config.mask_penalty !== opened.config.mask_penalty
      await v.compareRun(runner, testCase, run, { skipMasked, ...(dtype === undefined ? {} : { precision: dtype }) })
    }
    return { artefact: target, ...(dtype === undefined ? {} : { dtype }), ...check, ok: check.differences.length === 0 }
  } finally {
    written.close()
  }
}
