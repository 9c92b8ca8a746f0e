import type { AlbertModel } from '../../model/albert.js'
import type { Architecture } from '../../model/rewrite/translation.js'
import { transformersClassOf, type ResolvedTask } from '../../model/tasks.js'

/** Class of transformers that has the heads of `task` as `model` has them. */
export function classOf({ mlm, sop }: AlbertModel, architecture: Architecture, task: ResolvedTask): string {
  if (task !== 'pretraining') return transformersClassOf(architecture, task)
  return transformersClassOf(architecture, sop === null ? 'mlm' : mlm === null ? 'sop' : task)
}
