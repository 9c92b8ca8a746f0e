import type { GraphTarget } from '../base/artefact-layout.js'
import type { TensorSource } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import { resolveTask } from '../model/outputs.js'
import { checkPrecision, checkTargetOptions } from './check-options.js'
import type { ExportOptions } from './options.js'
import { graphTarget } from './targets.js'
import type { WrittenArtefact } from './weights/artefact.js'

/**
 * Writes `model` as `target` below `directory`, into the target's own folder, which must not hold a model yet. The
 * parameters that the task uses are written, each once. Same model and options, same bytes.
 * @throws AlbertkitError `usage` if the model lacks the task's head or the target the precision or an option; `output`;
 *   `malformed` from the source
 */
export async function exportModel(
  model: AlbertModel,
  source: TensorSource,
  target: GraphTarget,
  directory: string,
  options: ExportOptions,
): Promise<WrittenArtefact> {
  const { precision = 'f32', opset, externalData, halfCompute } = options
  checkPrecision(target, precision)
  checkTargetOptions([{ target, precision }], { opset, externalData, halfCompute })
  const task = resolveTask(model, options.task)
  const metadata = { family: model.config.family, task, dtype: precision }
  return graphTarget(target).write({ model, source, directory, task, options, metadata })
}
