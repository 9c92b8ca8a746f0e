import { hasLayerNorms } from './build.js'
import type { ConfigOptions, RawConfig } from '../config.js'
import type { Identification } from '../names/identification.js'

/** Classes that `auto_map` names: those of code that a repository brings along. */
function customClasses(map: unknown): string[] {
  const values = typeof map === 'object' && map !== null ? Object.entries(map) : []
  const models = values.filter(([auto, name]) => auto.startsWith('AutoModel') && typeof name === 'string')
  return [...new Set(models.map(([, name]) => String(name).slice(0, 80)))]
}

/** Notes for the user on how a model was read. */
export function modelNotes(found: Identification, raw: RawConfig, options: ConfigOptions): string[] {
  const notes: string[] = found.table.note === undefined ? [] : [found.table.note]
  if (hasLayerNorms(found) && options.layerNormEpsilon === undefined)
    notes.push(
      'the LayerNorms belong to each layer; no file says which epsilon such a model was trained ' +
        'with: 1e-12 is assumed, `layerNormEpsilon` 1e-3 takes that of Keras',
    )
  if (raw.classifierActivation !== undefined && found.mapped.has('classifier/output_weights'))
    notes.push(
      'the classifier was saved with the activation ' +
        `${raw.classifierActivation}; albertkit gives its logits, from before it`,
    )
  if (raw.computesIn !== undefined)
    notes.push(`the configuration says ${raw.computesIn}, in which keras-hub computes; albertkit computes in float32`)
  const own = customClasses(raw.fields.auto_map)
  if (own.length > 0)
    notes.push(
      `auto_map names code of its own (${own.join(', ')}): the model is read as ${found.table.title}, and computes ` +
        'something else if that code does',
    )
  return notes
}
