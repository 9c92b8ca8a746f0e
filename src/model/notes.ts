import { hasLayerNorms } from './build.js'
import type { ConfigOptions } from './config.js'
import type { Identification } from './identify.js'

/** What a person should know about how a model was read. */
export function modelNotes(found: Identification, options: ConfigOptions): string[] {
  if (!hasLayerNorms(found) || options.layerNormEpsilon !== undefined) return []
  return [
    'the LayerNorms belong to each layer; no file says which epsilon such a model was trained with: 1e-12 is assumed, --layer-norm-epsilon 1e-3 takes that of Keras',
  ]
}
