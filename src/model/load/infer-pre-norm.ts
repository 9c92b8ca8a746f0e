import type { RawConfig } from '../config.js'
import type { Identification } from '../names/identification.js'

/** Names that only the pre-LN code of albert_zh gives: halves of layers that are shared alone, and the norm before its classifier. */
const PRE_NORM = /(^|\/)(?:layer_shared\/(?:attention|intermediate|output)_\d+|loss\/LayerNorm)\//

/** A head that another one replaces is skipped, and still says what the model is. */
const preNormName = ({ table, mapped, skipped }: Identification): string | undefined =>
  table.family === 'zh'
    ? [...mapped.values(), ...skipped].find(({ variable }) => PRE_NORM.test(variable))?.variable
    : undefined

/** True if a name of the file is one that only pre-LN models have. */
export const hasPreNormNames = (found: Identification): boolean => preNormName(found) !== undefined

/**
 * A configuration that does not say `ln_type`, completed by what names of variables say: in post-LN and pre-LN models
 * of albert_zh they are the same, but for these.
 */
export function completeFromNames(raw: RawConfig, found: Identification): { raw: RawConfig; notes: readonly string[] } {
  const given = raw.fields.ln_type ?? null
  const sign = preNormName(found)
  if (given !== null || 'albertkit' in raw.fields || sign === undefined) return { raw, notes: [] }
  const note =
    `the configuration has no ln_type; ${sign} is a name that ` + 'only pre-LN models have, so the model is one'
  return { raw: { ...raw, fields: { ...raw.fields, ln_type: 'preln' } }, notes: [note] }
}
