import { usage } from '../base/errors.js'
import type { AlbertModel } from './albert.js'
import type { ForwardOutputs } from './forward.js'
import type { HeadSelection } from './tasks.js'
import {
  ENCODER_OUTPUTS,
  HEAD_NAMES,
  HEAD_OUTPUTS,
  headRow,
  TASK_NAMES,
  taskRow,
  type HeadName,
  type OutputName,
  type ResolvedTask,
  type Task,
} from './tasks.js'

/** Names of the heads that `model` has. */
export const headsOf = (model: AlbertModel): HeadName[] =>
  HEAD_NAMES.filter((name) => {
    const { part, kind } = headRow(name)
    return model[part] !== null && (kind === null || model.classifier?.kind === kind)
  })

/** Number of hidden states as the family counts them: one an inner layer, in hf one a layer. */
export const hiddenStateCount = ({ config, layers }: AlbertModel): number =>
  config.family === 'hf' ? layers.length : layers.flat().length

/** True if the model has a pooler that the head `name` reads; a head of tf-models may have its own. */
function hasPooler(model: AlbertModel, name: HeadName): boolean {
  const head = model[headRow(name).part]
  const own = head !== null && 'pooler' in head ? head.pooler : null
  return (own ?? model.pooler) !== null
}

/** True if the model has the head `name` and the pooler that it may need. */
const canRun = (model: AlbertModel, name: HeadName): boolean =>
  headsOf(model).includes(name) && (headRow(name).reads === 'token' || hasPooler(model, name))

/** True if the model has one of the heads of `task`, or the task needs none. */
export function canDo(model: AlbertModel, task: ResolvedTask): boolean {
  const { heads } = taskRow(task)
  return heads.length === 0 || heads.some((head) => canRun(model, head))
}

/** Tasks in the order in which `auto` tries them. */
const AUTO_ORDER: readonly ResolvedTask[] = TASK_NAMES.filter((task) => taskRow(task).auto !== null).sort(
  (a, b) => taskRow(a).auto! - taskRow(b).auto!,
)

/**
 * Resolves `auto`: classifier before question answering before pretraining before features.
 * @throws AlbertkitError `usage` if the model lacks the head that `task` names.
 */
export function resolveTask(model: AlbertModel, task: Task): ResolvedTask {
  if (task === 'auto') return AUTO_ORDER.find((one) => canDo(model, one)) ?? 'features'
  if (canDo(model, task)) return task
  const heads = headsOf(model)
  const unpooled = heads.some((head) => !canRun(model, head))
    ? '; the weights have no pooler, which a head for sequences needs'
    : ''
  throw usage(`the model has no head for the task ${task}`, {
    code: 'task-unavailable',
    hint: heads.length === 0 ? 'it has no head: use the task features' : `its heads: ${heads.join(', ')}${unpooled}`,
  })
}

/** Names of the outputs that `selectOutputs` gives without `all`. */
export function outputNames(model: AlbertModel, selection: HeadSelection): string[] {
  const heads = headsOf(model).filter((name) => selection[headRow(name).part] && canRun(model, name))
  return [
    ...ENCODER_OUTPUTS.filter((name) => name !== 'pooler_output' || model.pooler !== null),
    ...heads.flatMap((name) => headRow(name).outputs),
  ]
}

/**
 * Outputs of an artefact in their order: `last_hidden_state`, `pooler_output`, the heads' logits; with `all` also
 * `embedding_output` and `hidden_state_<i>`. `embedding_hidden_mapping_in` is an inner value, never an output.
 */
export function selectOutputs<T>(outputs: ForwardOutputs<T>, all: boolean): [name: string, value: T][] {
  const names: readonly (OutputName | 'embedding_output')[] = [
    ...ENCODER_OUTPUTS,
    ...HEAD_OUTPUTS,
    ...(all ? ['embedding_output' as const] : []),
  ]
  const named = names.map((name): [string, T | null] => [name, outputs[name]])
  if (all) outputs.hidden_states.forEach((state, i) => named.push([`hidden_state_${i}`, state]))
  return named.filter((pair): pair is [string, T] => pair[1] !== null)
}
