import type { TensorSource } from '../../formats/core/source.js'
import type { RawConfig } from '../config.js'
import { fixedLengthOf } from '../names/artefact-names.js'

/**
 * The configuration of an artefact that takes rows of one length: its table of positions is cut to that, and the
 * configuration next to it is that of the whole model.
 */
export function cutToLength(
  source: TensorSource,
  raw: RawConfig,
): { readonly raw: RawConfig; readonly notes: readonly string[] } {
  const length = fixedLengthOf(source)
  const positions = raw.fields.max_position_embeddings
  if (length === null || typeof positions !== 'number' || positions <= length) return { raw, notes: [] }
  return {
    raw: { ...raw, fields: { ...raw.fields, max_position_embeddings: length } },
    notes: [`the file takes ${length} tokens a row: it holds that many of ${positions} position embeddings`],
  }
}
