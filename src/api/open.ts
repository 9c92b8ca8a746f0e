import type { AlbertkitError } from '../errors.js'
import { openLocated } from '../formats/open.js'
import type { OpenOptions, TensorSource } from '../formats/source.js'
import type { AlbertModel } from '../model/albert.js'
import { planModel, type ModelPlan } from '../model/build.js'
import { parseConfig, type ModelConfig, type RawConfig } from '../model/config.js'
import { identify, type Identification } from '../model/identify.js'
import { modelNotes } from '../model/notes.js'
import { classifierKindOf, type Task } from '../model/outputs.js'
import { settleTied } from '../model/tied.js'
import { directoryWithConfig, readConfigFile } from './config-file.js'

export interface OpenModelOptions extends OpenOptions {
  /** Configuration file to use instead of the one beside the weights. */
  readonly config?: string
  /** LayerNorm epsilon to use instead of the configuration's. */
  readonly layerNormEpsilon?: number
  /** What the model is for: says what a classifier is of, where weights and configuration do not. */
  readonly task?: Task
}

/** A model file that was opened, identified and understood. */
export interface OpenedModel {
  readonly source: TensorSource
  /** Where vocabulary, labels and configuration lie. */
  readonly directory: string
  readonly identification: Identification
  readonly config: ModelConfig
  readonly rawConfig: RawConfig
  readonly model: AlbertModel
  /** What a person should know about file and model but that stops nothing. */
  readonly notes: readonly string[]
  close(): void
}

/** Like `OpenedModel`, for a look: variables may be missing. */
export interface ExaminedModel extends Omit<OpenedModel, 'model'> {
  readonly plan: ModelPlan
  readonly error: AlbertkitError | null
}

/** Configuration and family. That the file is of no known family counts more than that it has no configuration. */
function readNames(
  source: TensorSource,
  directory: string,
  options: OpenModelOptions,
): { rawConfig: RawConfig; identification: Identification } {
  let rawConfig: RawConfig
  try {
    rawConfig = readConfigFile(directory, options.config)
  } catch (error) {
    identify(source)
    throw error
  }
  return { rawConfig, identification: identify(source, rawConfig) }
}

/**
 * Opens and identifies a model without asking that it be complete.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function examineModel(path: string, options: OpenModelOptions = {}): Promise<ExaminedModel> {
  const { source, directories } = await openLocated(path, options)
  try {
    const directory = directoryWithConfig(directories)
    const { rawConfig, identification } = readNames(source, directory, options)
    const { family, architecture } = identification.table
    const config = parseConfig(rawConfig, family, architecture, options)
    const { found, notes } = settleTied(source, identification)
    const plan = planModel(source, found, config, classifierKindOf(options.task))
    return {
      source,
      directory,
      identification: found,
      config,
      rawConfig,
      plan,
      notes: [...source.notes, ...notes, ...modelNotes(found, options)],
      error: plan.error,
      close: () => {
        source.close()
      },
    }
  } catch (error) {
    source.close()
    throw error
  }
}

/**
 * Opens a model: a TensorFlow checkpoint (directory, prefix, `.index`, `.data-…`, `checkpoint`) or safetensors
 * (file, directory).
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<OpenedModel> {
  const { plan, error, ...rest } = await examineModel(path, options)
  if (error !== null) {
    rest.close()
    throw error
  }
  return { ...rest, model: plan.model }
}
