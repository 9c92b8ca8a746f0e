import type { Family, RawConfig } from '../config.js'

/** Whose code a configuration belongs to, by its fields alone. */
export interface FamilyGuess {
  readonly family: Family
  readonly architecture: 'albert' | 'bert'
  /** Why, one sentence. */
  readonly reason: string
}

const GOOGLE_FIELDS = ['num_hidden_groups', 'inner_group_num', 'net_structure_type', 'down_scale_factor'] as const

/**
 * Guesses the family of a configuration without weights. transformers writes `model_type`; Google's ALBERT has groups;
 * albert_zh has an embedding size and no groups; BERT has neither.
 */
export function guessFamily({ fields }: RawConfig): FamilyGuess {
  const type = fields.model_type
  if (type === 'albert' || type === 'bert')
    return { family: 'hf', architecture: type, reason: `model_type is ${type}, as transformers writes it` }
  const google = GOOGLE_FIELDS.find((field) => field in fields)
  if (google !== undefined)
    return { family: 'google', architecture: 'albert', reason: `${google} belongs to google-research ALBERT` }
  const zh = (['ln_type', 'shared_type', 'embedding_size'] as const).find((field) => field in fields)
  if (zh !== undefined)
    return { family: 'zh', architecture: 'albert', reason: `${zh} without groups belongs to albert_zh` }
  return { family: 'bert', architecture: 'bert', reason: 'there is no embedding_size, as in BERT' }
}
