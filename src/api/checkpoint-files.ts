import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { copyTo, writeText, writing } from '../files/output-file.js'
import { outputError, usage } from '../base/errors.js'
import { buildTfConfig, passedFields } from '../export/checkpoint/config.js'
import { FILE_PRECISIONS, inPrecision, torchDtype } from '../export/checkpoint/rounding.js'
import { writeSafetensorsModel } from '../export/checkpoint/safetensors.js'
import { byteLengthOf } from '../export/checkpoint/stream.js'
import { tfConfigName, tfFiles, writeTfModel } from '../export/checkpoint/tf.js'
import { buildConfigJson, readManifest } from '../export/manifest.js'
import type { Precision } from '../export/export.js'
import type { WriteEvents, WrittenArtefact } from '../export/weights/artefact.js'
import { elementCount } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import { resolveTask } from '../model/outputs.js'
import { transformersClassOf, type ResolvedTask, type Task } from '../model/tasks.js'
import { countParameters } from '../model/accounting/count.js'
import { translate } from '../model/rewrite/translate.js'
import { FILE_TARGETS, type FileTarget, type Architecture, type Translation } from '../model/rewrite/translation.js'
import { findTokenizer, tokenizerName } from '../text/tokenizers/load.js'
import type { OpenedModel } from './open/open.js'
import { readLabels } from './labels.js'
import { transformersJsConfig } from './convert/transformers-js.js'

/** The targets that are files of named weights: safetensors as transformers lays it out, and a TensorFlow checkpoint. */

export const isFileTarget = (target: string): target is FileTarget =>
  (FILE_TARGETS as readonly string[]).includes(target)

/** How a form that multiplies out or copies differs in size from its source. */
export interface Growth {
  readonly form: Architecture
  /** Parameters stored in the source, and as written. */
  readonly parameters: readonly [before: number, after: number]
  readonly bytes: readonly [before: number, after: number]
  /** Bytes after by bytes before. */
  readonly ratio: number
}

/** @throws AlbertkitError `usage` or `output` where `form` does not go with what else is asked for or there already */
export function checkForm(form: Architecture | undefined, targets: readonly string[], directory: string): void {
  if (form === undefined) return
  if (targets.some((target) => target !== 'safetensors')) {
    throw usage(`--as ${form} goes with --to safetensors alone`, {
      hint: `convert with --as ${form} into a directory of its own, then convert that to any other form`,
    })
  }
  const others = Object.keys(readManifest(directory)?.artefacts ?? {}).filter((target) => target !== 'safetensors')
  if (others.length === 0) return
  throw outputError(`the directory holds the model as ${others.join(' and ')}, whose configuration is another`, {
    file: directory,
    hint: `write --as ${form} into a directory of its own`,
  })
}

/**
 * What each file target among `targets` is to hold, before anything is written.
 * @param dtype element type of every tensor; that of the source if left out
 * @throws AlbertkitError `unsupported` where no weights compute the same there
 */
export function planFiles(
  opened: OpenedModel,
  targets: readonly string[],
  form: Architecture | undefined,
  dtype?: Precision,
): Map<FileTarget, Translation> {
  const chosen = FILE_TARGETS.filter((target) => targets.includes(target))
  const precision = FILE_PRECISIONS.find((name) => name === dtype)
  return new Map(
    chosen.map((target) => {
      const plan = translate(opened.model, opened.source, target, form ?? null)
      return [target, precision === undefined ? plan : inPrecision(plan, opened.source, precision)]
    }),
  )
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** Bytes of the weights of a planned file. */
export const plannedBytes = ({ tensors }: Translation): number => sum(tensors.map(byteLengthOf))

/** Relative paths of what a target will consist of. */
export const plannedFiles = (target: FileTarget, translation: Translation): string[] =>
  target === 'safetensors' ? ['model.safetensors'] : tfFiles(translation).map((name) => `tf/${name}`)

export function growthOf(opened: OpenedModel, translation: Translation | undefined): Growth | null {
  if (translation === undefined || translation.form === null) return null
  const { stored, bytes } = countParameters(opened.model, opened.source)
  const after = plannedBytes(translation)
  return {
    form: translation.form,
    parameters: [stored, sum(translation.tensors.map(({ meant }) => elementCount(meant)))],
    bytes: [bytes, after],
    ratio: after / bytes,
  }
}

/** transformers' class that has the heads of `task` as `model` has them. */
function classOf({ mlm, sop }: AlbertModel, architecture: 'albert' | 'bert', task: ResolvedTask): string {
  if (task !== 'pretraining') return transformersClassOf(architecture, task)
  return transformersClassOf(architecture, sop === null ? 'mlm' : mlm === null ? 'sop' : task)
}

/** Whether transformers computes the same with the source's own weights: it knows no pre-LN, factor or groups of channels. */
function isOfTransformers({ config, embeddings, layers }: AlbertModel): boolean {
  const [first, ...rest] = layers.flat()
  const ownNorms = rest.some((b) => b.query.kernel === first?.query.kernel && b.outputNorm !== first.outputNorm)
  return embeddings.factor === null && config.family !== 'google_fast' && !ownNorms
}

/** Class names for transformers, which takes two classes where it is told nothing: its own default names, if need be. */
function labelsOf(opened: OpenedModel): readonly string[] | null {
  const labels = readLabels(opened.directory, opened.config)
  const head = opened.model.classifier
  if (labels !== null || head === null || head.kind === 'choice') return labels
  return Array.from({ length: head.weight.shape[0] ?? 0 }, (_, i) => `LABEL_${i}`)
}

/**
 * `config.json` of a directory that holds `opened` as written by `translation`, or in no file at all.
 * @param files paths of everything in the directory
 * @param kept what is said of a safetensors file that stays
 */
export function configJson(
  opened: OpenedModel,
  translation: Translation | undefined,
  asked: Task,
  files: readonly string[] = [],
  kept: { readonly dtype?: string } = {},
): string {
  const { model, rawConfig } = opened
  const task = resolveTask(model, asked)
  const multiplied = translation?.form != null
  const config = multiplied ? translation.config : opened.config
  const named = translation !== undefined || isOfTransformers(model)
  return buildConfigJson(config, labelsOf(opened), {
    ...(named ? { architectures: [classOf(model, config.architecture, task)] } : {}),
    passed: passedFields(rawConfig.fields),
    // The other files of the directory are still of the source's family; what is multiplied out has a family of its own.
    family: multiplied ? 'hf' : config.family,
    task,
    untied: model.mlm?.decoder != null,
    transformersJs: transformersJsConfig(files),
    ...(translation === undefined ? kept : { dtype: torchDtype(translation) }),
  })
}

/** Writes one file target into `staging`, with its configuration and vocabulary where it has a folder of its own. */
export async function writeFile(
  opened: OpenedModel,
  target: FileTarget,
  translation: Translation,
  staging: string,
  events: WriteEvents,
): Promise<WrittenArtefact> {
  if (target === 'safetensors') return writeSafetensorsModel(translation, opened.source, staging, events)
  const folder = join(staging, 'tf')
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  const config = buildTfConfig(
    translation.config,
    passedFields(opened.rawConfig.fields),
    resolveTask(opened.model, 'auto'),
  )
  const artefact = await writeTfModel(translation, opened.source, folder, config, events)
  const vocabulary = findTokenizer(opened.directory)
  if (vocabulary !== null) copyTo(join(folder, tokenizerName(vocabulary)), vocabulary)
  const labels = readLabels(opened.directory, opened.config)
  if (labels !== null) writeText(join(folder, 'labels.txt'), labels.map((label) => `${label}\n`).join(''))
  return { ...artefact, files: artefact.files.map((file) => ({ ...file, path: `tf/${file.path}` })) }
}

/** The written file and its configuration, where a directory has one. */
export function writtenFile(directory: string, target: FileTarget): { model: string; config: string } | null {
  const model =
    target === 'safetensors' ? join(directory, 'model.safetensors') : join(directory, 'tf', 'model.ckpt.index')
  if (!existsSync(model)) return null
  if (target === 'safetensors') return { model, config: join(directory, 'config.json') }
  const name = ['bert', 'albert'].map((architecture) =>
    tfConfigName({ config: { architecture } as Translation['config'] }),
  )
  const config = name.map((file) => join(directory, 'tf', file)).find((file) => existsSync(file))
  return { model, config: config ?? join(directory, 'tf', 'albert_config.json') }
}
