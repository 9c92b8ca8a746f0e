import { basename } from 'node:path'
import { AlbertkitError } from '../../base/errors.js'
import { openLocated } from '../../formats/core/open.js'
import type { OpenOptions, TensorSource } from '../../formats/core/source.js'
import type { AlbertModel } from '../../model/albert.js'
import { planModel, type ModelPlan } from '../../model/load/build.js'
import { parseConfig, type ModelConfig, type RawConfig } from '../../model/config.js'
import { compareFacts, completeConfig, graphFacts, type GraphFacts } from '../../model/load/graph-facts.js'
import { identify } from '../../model/names/identify.js'
import type { Identification } from '../../model/names/identification.js'
import { settleLabels } from '../../model/load/labels.js'
import { modelNotes } from '../../model/load/notes.js'
import { classifierKindOf, type Task } from '../../model/tasks.js'
import { completeFromWeights } from '../../model/load/infer-config.js'
import { completeFromNames } from '../../model/load/infer-pre-norm.js'
import { settleTied } from '../../model/load/tied.js'
import { chooseConfig, directoryWithConfig, hasConfig, readConfigFile } from './config-file.js'

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

/**
 * Configuration and family. That the file is of no known family counts more than that it has no configuration; what is
 * missing is taken from the weights where they tell it.
 */
function readNames(
  source: TensorSource,
  directory: string,
  { config }: OpenModelOptions,
): { rawConfig: RawConfig; identification: Identification; choiceNotes: readonly string[] } {
  const { table } = identify(source)
  let given: RawConfig | null = null
  let choiceNotes: readonly string[] = []
  if (config !== undefined) given = readConfigFile(config)
  else if (hasConfig(directory) || table.configInferable !== true) {
    const { file, notes } = chooseConfig(directory, table)
    given = readConfigFile(file)
    choiceNotes = notes
  }
  const identification = identify(source, given)
  if (identification.table.configInferable !== true && given !== null)
    return { rawConfig: given, identification, choiceNotes }
  const rawConfig = completeFromWeights(source, identification, given)
  return { rawConfig, identification: identify(source, rawConfig), choiceNotes }
}

/** Names the field of an error in the words of the configuration file as well, where it has others. */
function inWordsOf({ words }: RawConfig, error: AlbertkitError): AlbertkitError {
  if (error.place.field === undefined) return error
  const word = words?.[error.place.field]
  if (word === undefined) return error
  const said = `the configuration calls ${error.place.field} ${word}`
  return error.with({ hint: error.hint === undefined ? said : `${error.hint}; ${said}` })
}

/** The configuration, completed by and compared with the graph that was saved with the weights. */
function readConfig(
  source: TensorSource,
  raw: RawConfig,
  { table: { family, architecture, maskPenalty, mlmHead }, mapped }: Identification,
  given: OpenModelOptions,
): { config: ModelConfig; notes: readonly string[] } {
  const { graph } = source
  const hasHead = mapped.has('mlm/output_bias')
  const options = { ...given, maskPenalty, mlmHead: hasHead ? mlmHead : undefined }
  if (graph === undefined) return { config: parseConfig(raw, family, architecture, options), notes: [] }
  const file = basename(graph.file)
  let facts: GraphFacts
  try {
    facts = graphFacts(graph.nodes())
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    const note = `the graph in ${file} is left out: ${error.message}`
    return { config: parseConfig(raw, family, architecture, options), notes: [note] }
  }
  const completed = completeConfig(raw, family, facts)
  const config = parseConfig(completed.raw, family, architecture, options)
  return { config, notes: [...completed.notes, ...compareFacts(config, facts, file)] }
}

/** Configuration and tree; errors name fields as the configuration file does. */
function readModel(
  source: TensorSource,
  raw: RawConfig,
  found: Identification,
  options: OpenModelOptions,
): { config: ModelConfig; plan: ModelPlan; configNotes: readonly string[] } {
  try {
    const named = completeFromNames(raw, found)
    const { config: said, notes } = readConfig(source, named.raw, found, options)
    const { model, missing, error } = planModel(source, found, said, classifierKindOf(options.task))
    const { config, notes: labelNotes } = settleLabels(raw, model)
    const plan = { model: { ...model, config }, missing, error: error === null ? null : inWordsOf(raw, error) }
    return { config, plan, configNotes: [...named.notes, ...notes, ...labelNotes] }
  } catch (error) {
    throw error instanceof AlbertkitError ? inWordsOf(raw, error) : error
  }
}

/**
 * Opens and identifies a model without asking that it be complete.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function examineModel(path: string, options: OpenModelOptions = {}): Promise<ExaminedModel> {
  const { source, directories } = await openLocated(path, options)
  try {
    const directory = directoryWithConfig(directories)
    const { rawConfig, identification, choiceNotes } = readNames(source, directory, options)
    const { found, notes } = settleTied(source, identification)
    const { config, plan, configNotes } = readModel(source, rawConfig, found, options)
    return {
      source,
      directory,
      identification: found,
      config,
      rawConfig,
      plan,
      notes: [...source.notes, ...choiceNotes, ...configNotes, ...notes, ...modelNotes(found, rawConfig, options)],
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
 * Opens a model: anything that a container of `formats/containers.ts` recognises (docs/containers.md).
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
