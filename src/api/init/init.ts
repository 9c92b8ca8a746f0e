import { requireText } from '../../base/arguments.js'
import { keepSources } from '../../base/sources.js'
import { stoppable, type Abortable, type OnProgress, progressStep } from '../../base/abort.js'
import type { CheckpointTarget } from '../../base/artefact-layout.js'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writeText } from '../../files/output-file.js'
import { disk, diskPath } from '../../files/disk.js'
import { outputError, usage } from '../../base/errors.js'
import { OutputDirectory } from '../../files/output-directory.js'
import { buildTfConfig } from '../../export/checkpoint/config.js'
import { writeSafetensorsModel } from '../../export/checkpoint/safetensors.js'
import { byteLengthOf } from '../../export/checkpoint/stream.js'
import { writeTfModel } from '../../export/checkpoint/tf.js'
import { buildConfigJson } from '../../export/manifest.js'
import { elementCount, type TensorSource } from '../../formats/core/source.js'
import { parseConfig, type ModelConfig } from '../../model/config.js'
import { guessFamily } from '../../model/names/guess-family.js'
import { hasTransformersPooler, headRow, taskRow, transformersClassOf, type ResolvedTask } from '../../model/tasks.js'
import { INITIALIZER_RANGE, planRandom } from '../../model/random/init.js'
import { findPreset, presetHint } from '../../model/accounting/presets.js'
import type { Translation } from '../../model/rewrite/translation.js'
import { compareFile } from '../../compare/files.js'
import { readConfigFile } from '../open/config-file.js'
import { writeVocabulary } from './made-up-vocabulary.js'
import { openModel } from '../open/open.js'
import type { InitReport } from './report.js'

export interface InitOptions extends Abortable {
  /** Container and names: a TensorFlow checkpoint of the preset's own code (default), or transformers' safetensors. */
  readonly target?: CheckpointTarget
  /** Task, which selects the heads; default `pretraining`. */
  readonly task?: ResolvedTask
  /** Classes of a classifier; default 2. */
  readonly labels?: number
  /** Same seed, same bytes; default 0. */
  readonly seed?: number
  /** Read the result back and compare it with the plan; default true. */
  readonly verify?: boolean
  /** Replace files of an existing directory. */
  readonly force?: boolean
  readonly onProgress?: OnProgress
}

/** Reads a preset or a configuration file. @throws AlbertkitError `usage` if neither exists */
function configOf(name: string): { preset: string; config: ModelConfig } {
  const preset = findPreset(name)
  if (preset !== null) return { preset: preset.name, config: preset.config }
  if (!name.endsWith('.json')) {
    throw usage(`there is no preset ${name}`, {
      code: 'name-unknown',
      hint: `${presetHint(name)} (or give the path of a configuration, .json)`,
    })
  }
  if (!existsSync(name)) throw usage('there is no such configuration', { code: 'file-missing', file: name })
  const raw = readConfigFile(disk, diskPath(name))
  const { family, architecture } = guessFamily(raw)
  return { preset: name, config: parseConfig(raw, family, architecture) }
}

/** Source without tensors: all values are computed. */
const NOTHING: TensorSource = {
  format: 'none',
  files: [],
  tensors: new Map(),
  notes: [],
  read: (name) => {
    throw new RangeError(name)
  },
  verifyChecksum: () => undefined,
  close: () => undefined,
}

const PASSED = { attention_probs_dropout_prob: 0, hidden_dropout_prob: 0, initializer_range: INITIALIZER_RANGE }

async function writeAll(
  plan: Translation,
  target: CheckpointTarget,
  task: ResolvedTask,
  labels: readonly string[] | null,
  staging: string,
): Promise<string[]> {
  const { config } = plan
  const others = ['vocab.txt', ...(labels === null ? [] : ['labels.txt'])]
  writeVocabulary(join(staging, 'vocab.txt'), config.vocab_size)
  if (labels !== null) writeText(join(staging, 'labels.txt'), labels.map((label) => `${label}\n`).join(''))
  if (target === 'tf') {
    const { files } = await writeTfModel(plan, NOTHING, staging, buildTfConfig(config, PASSED, task), {})
    return [...files.map(({ path }) => path), ...others]
  }
  const architectures = [transformersClassOf(config.architecture, task)]
  writeText(join(staging, 'config.json'), buildConfigJson(config, labels, { architectures, passed: PASSED, task }))
  const { files } = await writeSafetensorsModel(plan, NOTHING, staging, {})
  return [...files.map(({ path }) => path), 'config.json', ...others]
}

/** Opens the written model like any other and compares it with the plan. */
async function check(
  plan: Translation,
  task: ResolvedTask,
  staging: string,
): Promise<{ ok: boolean; verified: number }> {
  const written = await openModel(staging, { task })
  try {
    const { compared, differences } = await compareFile(written.source, written.source, plan.tensors)
    return { ok: differences.length === 0, verified: compared - differences.length }
  } finally {
    written.close()
  }
}

/**
 * Writes a random model of a preset or a configuration file: initial weights, a made-up vocabulary and a configuration.
 * Weights are streamed, so that the size is not limited by memory.
 * @throws AlbertkitError `usage`, `unsupported`, `output`
 */
export function initModel(name: string, directory: string, asked: InitOptions = {}): Promise<InitReport> {
  return keepSources(() => init(name, directory, asked))
}

async function init(name: string, directory: string, asked: InitOptions): Promise<InitReport> {
  requireText('name', name)
  requireText('directory', directory)
  const options = stoppable(asked)
  const { task = 'pretraining', labels: wanted = 2, seed = 0, force = false, verify = true, onProgress } = options
  const { preset, config } = configOf(name)
  const target = options.target ?? (config.family === 'hf' ? 'safetensors' : 'tf')
  if (existsSync(directory) && !force)
    throw outputError('the output directory exists already', {
      code: 'output-exists',
      file: directory,
      hint: 'use `force` to replace its files',
    })
  const { heads } = taskRow(task)
  const pooler = target === 'tf' || hasTransformersPooler(task)
  // A head with a fixed number of classes, e.g. the one row of multiple choice, has no labels.
  const { classes } = headRow(heads.find((head) => headRow(head).kind !== null) ?? 'classifier')
  const count = typeof classes === 'number' ? classes : wanted
  const plan = planRandom(config, target, { heads, labels: count, pooler, seed })
  const named = heads.some((head) => headRow(head).classes === 'labels')
  const labels = named ? Array.from({ length: count }, (_, i) => `label_${i}`) : null
  const output = new OutputDirectory(directory, { force })
  try {
    onProgress?.(progressStep('writing', null, [0, plan.tensors.length]))
    const files = await writeAll(plan, target, task, labels, output.staging)
    onProgress?.(progressStep('reading back'))
    const checked = verify ? await check(plan, task, output.staging) : null
    const report: InitReport = {
      ok: checked?.ok ?? true,
      preset,
      family: config.family,
      target,
      task,
      seed,
      output: directory,
      files: files.map((path) => ({ path, bytes: statSync(join(output.staging, path)).size })),
      tensors: plan.tensors.length,
      parameters: plan.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      weightBytes: plan.tensors.reduce((sum, tensor) => sum + byteLengthOf(tensor), 0),
      verified: checked?.verified ?? null,
      notes: ['the weights are random and vocab.txt is made up: for trying pipelines, not for results'],
    }
    if (report.ok) {
      await output.flush()
      output.commit()
    }
    return report
  } catch (error) {
    throw output.named(error)
  } finally {
    output.discard()
  }
}
