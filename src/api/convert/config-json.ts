import { torchDtype } from '../../export/checkpoint/rounding.js'
import { buildConfigJson } from '../../export/manifest.js'
import type { AlbertModel } from '../../model/albert.js'
import { readLabels } from '../labels.js'
import type { OpenedModel } from '../open/open.js'
import { classOf } from './class-names.js'
import { passedOf } from './passed.js'
import type { Conversion } from './conversion.js'
import { transformersJsConfig } from './transformers-js.js'

/** True if transformers can run the source's own weights: it has no pre-LN, residual factor or channel groups. */
function isOfTransformers({ config, embeddings, layers }: AlbertModel): boolean {
  const [first, ...rest] = layers.flat()
  const ownNorms = rest.some((b) => b.query.kernel === first?.query.kernel && b.outputNorm !== first.outputNorm)
  return embeddings.factor === null && config.family !== 'google_fast' && !ownNorms
}

/** Class names for transformers, which otherwise assumes two classes; its default names if there are none. */
function labelsOf(opened: OpenedModel): readonly string[] | null {
  const labels = readLabels(opened)
  const head = opened.model.classifier
  if (labels !== null || head === null || head.kind === 'choice') return labels
  return Array.from({ length: head.weight.shape[0] ?? 0 }, (_, i) => `LABEL_${i}`)
}

/**
 * Text of `config.json`, for transformers and transformers.js.
 * @param files paths of all artefact files that the directory will have
 */
export function configJson({ opened, plans, task, existing }: Conversion, files: readonly string[]): string {
  const { model } = opened
  const translation = plans.get('safetensors')
  const multiplied = translation?.form != null
  const config = multiplied ? translation.config : opened.config
  const named = translation !== undefined || isOfTransformers(model)
  return buildConfigJson(config, labelsOf(opened), {
    ...(named ? { architectures: [classOf(model, config.architecture, task)] } : {}),
    passed: passedOf(opened),
    // A model whose factorised embeddings are multiplied out is of another family than the source.
    family: multiplied ? 'hf' : config.family,
    task,
    untied: model.mlm?.decoder != null,
    transformersJs: transformersJsConfig(files),
    ...(translation === undefined ? existing.torchDtype() : { dtype: torchDtype(translation) }),
  })
}
