import { unsupported, type AlbertkitError, type ErrorPlace } from '../../base/errors.js'
import type { Identification } from '../names/identification.js'

/** Parts that other architectures do without: a file that lacks one wholly, and nothing else, is not damaged. */
const PARTS: readonly (readonly [slots: RegExp, words: string, others: string])[] = [
  [
    /^embeddings\/position_embeddings$/,
    'position embeddings',
    'positions may be relative, rotary or linear biases, as in NEZHA, RoFormer or JinaBERT',
  ],
  [/^embeddings\/token_type_embeddings$/, 'token type embeddings', 'DistilBERT and some DeBERTa have none either'],
  [/^encoder\/.*\/bias$/, 'biases in its dense layers', 'later architectures leave them out, e.g. ModernBERT'],
  [/\/LayerNorm\/beta$/, 'biases in its LayerNorms', 'it may have RMSNorm, or LayerNorm without bias'],
]

/**
 * Error for a model without a part that ALBERT and BERT have.
 * @param missing slots that the model lacks
 * @returns null if parts of different kinds are missing, or only some of a kind
 */
export function refuseAbsentPart(
  found: Identification,
  missing: readonly string[],
  place: ErrorPlace,
): AlbertkitError | null {
  const slots = [...found.mapped.keys()]
  const part = PARTS.find(([pattern]) => missing.every((s) => pattern.test(s)) && !slots.some((s) => pattern.test(s)))
  if (part === undefined) return null
  const [, words, others] = part
  return unsupported(`the model has no ${words}: albertkit runs ALBERT and BERT, which have them`, {
    code: 'architecture-unsupported',
    ...place,
    hint: `${place.tensor ?? ''} is the first that is missing; ${others}`,
  })
}
