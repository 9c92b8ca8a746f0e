import type { AlbertModel } from '../../model/albert.js'
import type { Architecture } from '../../model/rewrite/translation.js'
import { transformersClassOf, type ResolvedTask } from '../../model/tasks.js'

/** Name of the class in transformers that has the heads of `model` for `task`. */
export function classOf({ mlm, sop }: AlbertModel, architecture: Architecture, task: ResolvedTask): string {
  if (task !== 'pretraining') return transformersClassOf(architecture, task)
  return transformersClassOf(architecture, sop === null ? 'mlm' : mlm === null ? 'sop' : task)
}
