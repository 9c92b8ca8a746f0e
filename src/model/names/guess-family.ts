import type { Family, RawConfig } from '../config.js'
import type { NameTable } from './row.js'

type TableKey = Pick<NameTable, 'family' | 'architecture'>

/** Fields of a configuration that identify the code it belongs to. */
interface FamilyRule {
  readonly fields: readonly string[]
  /** Family taken if there are no weights. */
  readonly guess: Family
  readonly reason: (field: string) => string
  /** True if weights of that table may have such a configuration. */
  readonly fits: (table: TableKey) => boolean
}

/** The first rule with a field in the configuration decides. */
const RULES: readonly FamilyRule[] = [
  {
    fields: ['num_hidden_groups', 'inner_group_num', 'net_structure_type', 'down_scale_factor'],
    guess: 'google',
    reason: (field) => `${field} belongs to google-research ALBERT`,
    fits: ({ family, architecture }) => architecture === 'albert' && family !== 'zh',
  },
  {
    fields: ['ln_type', 'shared_type'],
    guess: 'zh',
    reason: (field) => `${field} without groups belongs to albert_zh`,
    fits: ({ family }) => family === 'zh',
  },
  {
    fields: ['embedding_size'],
    guess: 'zh',
    reason: (field) => `${field} without groups belongs to albert_zh`,
    fits: ({ architecture }) => architecture === 'albert',
  },
]

/** `model_type`, as transformers writes it; null if it is absent or of another model. */
function modelType({ model_type: type }: RawConfig['fields']): 'albert' | 'bert' | null {
  return type === 'albert' || type === 'bert' ? type : null
}

function ruleFor(fields: RawConfig['fields']): { readonly rule: FamilyRule; readonly field: string } | null {
  for (const rule of RULES) {
    const field = rule.fields.find((name) => name in fields)
    if (field !== undefined) return { rule, field }
  }
  return null
}

/** Whose code a configuration belongs to, by its fields alone. */
export interface FamilyGuess extends TableKey {
  /** Why, one sentence. */
  readonly reason: string
}

/**
 * Guesses the family of a configuration without weights. transformers writes `model_type`; Google's ALBERT has groups;
 * albert_zh has an embedding size and no groups; BERT has neither.
 */
export function guessFamily({ fields }: RawConfig): FamilyGuess {
  const type = modelType(fields)
  if (type !== null)
    return { family: 'hf', architecture: type, reason: `model_type is ${type}, as transformers writes it` }
  const found = ruleFor(fields)
  if (found === null) return { family: 'bert', architecture: 'bert', reason: 'there is no embedding_size, as in BERT' }
  return { family: found.rule.guess, architecture: 'albert', reason: found.rule.reason(found.field) }
}

/**
 * True if the fields of a configuration indicate the family of `table`, false if they indicate another, null if
 * neither. `model_type` occurs next to TensorFlow weights too: it indicates the architecture alone.
 */
export function configSpeaksFor(table: TableKey, fields: RawConfig['fields']): boolean | null {
  const type = modelType(fields)
  return type === null ? (ruleFor(fields)?.rule.fits(table) ?? null) : type === table.architecture
}
