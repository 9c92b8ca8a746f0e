import { requireText } from '../../base/arguments.js'
import { disposable } from '../../base/disposable.js'
import type { AlbertkitError } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { LocatedSource } from '../../formats/core/container.js'
import { confined } from '../../formats/core/confined.js'
import { explained } from '../../formats/core/explain.js'
import type { FilePort } from '../../formats/core/file-port.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { ModelOrigin } from '../../hub/origin.js'
import type { AlbertModel } from '../../model/albert.js'
import type { ModelConfig, RawConfig } from '../../model/config.js'
import type { ModelPlan } from '../../model/load/build.js'
import {
  resolveModel,
  type ChosenConfig,
  type ConfigOwner,
  type ResolveOptions,
} from '../../model/load/resolve-config.js'
import type { Identification } from '../../model/names/identification.js'
import { namePattern } from '../../model/names/pattern.js'
import { namesBeside } from '../labels.js'
import { artefactNotes, refuseChanged } from './manifest-files.js'
import { withLora } from './merge.js'
import { selectVariables, type SelectOptions } from './select.js'
import { sideFilesOf } from './side-files.js'
import { directoryWithConfig, foreignTypeBeside, readChosen } from './config-file.js'
import { addModelSources } from './model-sources.js'
import { openWithPlaces, portPath, type OpenSourceOptions } from './source.js'

export interface OpenModelOptions extends OpenSourceOptions, SelectOptions, ResolveOptions {
  /** Configuration file to use instead of the one next to the weights. */
  readonly config?: string
  /** Merge a LoRA adapter, within the weights or next to them, into the kernels that it changes. */
  readonly mergeLora?: boolean
  /** False to read files of a converted model that are not those of its manifest, e.g. in order to verify them. */
  readonly manifest?: boolean
}

/** A model file that was opened, identified and understood. */
export interface OpenedModel extends Disposable {
  readonly source: TensorSource
  /** Where the model came from; null if it was named by its path. */
  readonly origin: ModelOrigin | null
  /** File access for the files of the model. */
  readonly files: FilePort
  /** Directory of vocabulary, labels and configuration. */
  readonly directory: string
  readonly identification: Identification
  readonly config: ModelConfig
  readonly rawConfig: RawConfig
  readonly model: AlbertModel
  /** Notes for the user on the file and the model. */
  readonly notes: readonly string[]
  /** The notes that name contents of the file or its folder that the model does not use. */
  readonly leftOut: readonly string[]
  /** The one of these notes that names modules of sentence-transformers, which only vectors of texts pass through. */
  readonly modulesNote: string | null
  close(): void
}

/** Like `OpenedModel`, but variables may be missing. */
export interface ExaminedModel extends Omit<OpenedModel, 'model'> {
  readonly plan: ModelPlan
  readonly error: AlbertkitError | null
  /** Error of a model with parts that albertkit does not compute; null if the model can be run. */
  readonly refusal: AlbertkitError | null
}

/** Notes on patterns of `ignore` that match nothing. */
function idleNotes(source: TensorSource, beside: readonly string[], { ignore = [] }: OpenModelOptions): string[] {
  if (ignore.length === 0) return []
  const names = [...source.tensors.keys(), ...beside]
  return ignore
    .filter((pattern) => !names.some(namePattern(pattern)))
    .map((pattern) => `the pattern ${pattern} of \`ignore\` matches no tensor and no file`)
}

/** Returns the located source, with its LoRA adapter merged if requested. */
async function mergedIf(located: LocatedSource, options: OpenModelOptions): Promise<LocatedSource> {
  if (options.mergeLora !== true) return located
  try {
    return await withLora(located, options)
  } catch (error) {
    located.source.close()
    throw error
  }
}

/**
 * Opens and identifies a model, complete or not.
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function examineModel(path: string, options: OpenModelOptions = {}): Promise<ExaminedModel> {
  requireText('path', path)
  const { origin, ...located } = await openWithPlaces(path, options)
  const { source: stored, directories, files: all } = await mergedIf(located, options)
  const given = options.config === undefined ? undefined : portPath(options.config, options)
  const files = confined(all, directories, given === undefined ? [] : [given])
  let sideRefusal: AlbertkitError | null = null
  try {
    const directory = directoryWithConfig(files, directories)
    for (const folder of new Set([directory, ...directories])) addModelSources(files, folder, stored.files)
    const side = sideFilesOf(
      files,
      directory,
      stored.files,
      omitUndefined({ ignore: options.ignore, merged: options.mergeLora }),
    )
    const isChecked = options.checksum !== false && options.manifest !== false
    const changed = isChecked ? await refuseChanged(files, stored.files) : null
    const converted = isChecked ? await artefactNotes(files, stored.files[0] ?? '') : []
    sideRefusal = side.refusal
    const { source: chosen, notes: selected } = selectVariables(stored, options)
    const choose = (owner: ConfigOwner): ChosenConfig => readChosen(files, directory, owner, given)
    const {
      source,
      notes,
      leftOut: outside,
      ...resolved
    } = resolveModel(chosen, choose, { classNames: () => namesBeside(files, directory), ...options })
    const leftOut = [
      ...selected,
      ...outside,
      ...side.notes,
      ...converted,
      ...idleNotes(source, files.list(directory), options),
    ]
    return disposable({
      source,
      files,
      directory,
      origin,
      ...resolved,
      notes: [...source.notes, ...notes, ...leftOut],
      leftOut,
      modulesNote: side.modulesNote,
      error: resolved.plan.error,
      refusal: sideRefusal ?? changed ?? resolved.refusal,
      close: () => {
        source.close()
      },
    })
  } catch (error) {
    stored.close()
    // A part that albertkit does not support explains every error that follows from it.
    throw sideRefusal ?? foreignTypeBeside(files, directories, error) ?? explained(files, error)
  }
}

/**
 * Opens a model in any of the containers of `formats/containers.ts` (docs/containers.md).
 * @throws AlbertkitError `malformed`, `unsupported` or `usage`
 */
export async function openModel(path: string, options: OpenModelOptions = {}): Promise<OpenedModel> {
  const { plan, error, refusal, ...rest } = await examineModel(path, options)
  const failure = refusal ?? error
  if (failure !== null) {
    rest.close()
    throw failure
  }
  return { ...rest, model: plan.model }
}
