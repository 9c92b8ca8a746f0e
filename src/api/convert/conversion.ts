import { isCheckpointTarget, type CheckpointTarget } from '../../base/artefact-layout.js'
import { inPrecision, isCheckpointPrecision } from '../../export/checkpoint/rounding.js'
import type { PackedFiles } from '../../export/options.js'
import { takesOption, targetInfo } from '../../export/targets.js'
import { countParameters, type ParameterReport } from '../../model/accounting/count.js'
import { resolveTask } from '../../model/outputs.js'
import { translate } from '../../model/rewrite/translate.js'
import type { ResolvedTask } from '../../model/tasks.js'
import type { Translation } from '../../model/rewrite/translation.js'
import type { OpenedModel } from '../open/open.js'
import type { ExistingOutput } from './existing.js'
import type { ConvertOptions } from './options.js'
import { packedFiles } from './packed-files.js'
import type { ArtefactSpec } from './specs.js'

/** Contents of the checkpoints to write. */
export type Plans = ReadonlyMap<CheckpointTarget, Translation>

/** Resolved inputs of a conversion: each is determined once, before anything is written. */
export interface Conversion {
  readonly opened: OpenedModel
  /** The output directory. */
  readonly directory: string
  readonly existing: ExistingOutput
  readonly options: ConvertOptions
  readonly specs: readonly ArtefactSpec[]
  readonly task: ResolvedTask
  readonly plans: Plans
  readonly parameters: ParameterReport
  /** Files for targets that carry some. */
  readonly packed: PackedFiles | undefined
}

const isCheckpoint = (spec: ArtefactSpec): spec is ArtefactSpec & { readonly target: CheckpointTarget } =>
  isCheckpointTarget(spec.target)

/** Plans each checkpoint. @throws AlbertkitError `unsupported` if no weights give the same outputs there */
function planCheckpoints(
  { model, source }: OpenedModel,
  specs: readonly ArtefactSpec[],
  options: ConvertOptions,
): Plans {
  return new Map(
    specs.filter(isCheckpoint).map(({ target, precision, isAsked }) => {
      const plan = translate(model, source, target, options.targetArchitecture ?? null)
      return [target, isAsked && isCheckpointPrecision(precision) ? inPrecision(plan, source, precision) : plan]
    }),
  )
}

/**
 * Plans a conversion.
 * @throws AlbertkitError `usage` if the model lacks the task's head or the named vocabulary is absent, `unsupported` if
 *   a target cannot hold the model
 */
export function planConversion(
  opened: OpenedModel,
  request: Pick<Conversion, 'directory' | 'existing' | 'options' | 'specs'>,
): Conversion {
  const { options, specs } = request
  const task = resolveTask(opened.model, options.task ?? 'auto')
  const packs = specs.some(({ target, precision }) => takesOption(targetInfo(target), precision, 'packed'))
  return {
    ...request,
    opened,
    task,
    packed: packs ? packedFiles(opened, options.vocabulary, task) : undefined,
    plans: planCheckpoints(opened, specs, options),
    parameters: countParameters(opened.model, opened.source),
  }
}
