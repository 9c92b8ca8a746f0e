import { malformed } from '../../base/errors.js'
import type { FilePort } from '../../formats/core/file-port.js'
import type { AddedToken } from './added-tokens.js'
import { checkAddedCount, checkTokenLength } from './limits.js'
import { fieldsOf, type Fields } from './normalizers.js'
import { readJsonObject } from './side-files.js'
import type { SpecialNames } from './wordpiece.js'

/** Settings in `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` of a folder (transformers). */
export interface TokenizerSettings {
  /** Class of transformers without `Fast`; null if none is named. */
  readonly className: string | null
  readonly lowerCase: boolean | undefined
  readonly stripAccents: boolean | undefined
  /** `tokenize_chinese_chars`. */
  readonly chinese: boolean | undefined
  readonly keepAccents: boolean | undefined
  readonly removeSpace: boolean | undefined
  readonly basicTokenize: boolean | undefined
  readonly neverSplit: readonly string[]
  /** `model_max_length`; undefined if it is absent or the placeholder for no limit. */
  readonly maxLength: number | undefined
  /** True if `truncation_side` is left. */
  readonly cutsStart: boolean
  /** True if special tokens in a text are text. */
  readonly splitSpecial: boolean
  readonly names: Partial<SpecialNames>
  /** Names of special tokens, `additional_special_tokens` included, in transformers' order. */
  readonly special: readonly string[]
  readonly added: readonly AddedToken[]
  /** Fields of `tokenizer_config.json`. */
  readonly fields: Fields
}

/** No model has more positions; transformers writes 1e30 for a tokenizer that has no limit. */
const MAX_LENGTH = 1e6
const MAX_ID = 1 << 24

/** SPECIAL_TOKENS_ATTRIBUTES of transformers, with the names that are of use here. */
const ATTRIBUTES = ['bos', 'eos', 'unk', 'sep', 'pad', 'cls', 'mask'] as const

const bool = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined)

/** Content of a token that is given as text or as an object. */
function contentOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const { content } = fieldsOf(value)
  return typeof content === 'string' ? content : undefined
}

export function addedTokenOf(id: unknown, value: unknown, file: string, field: string): AddedToken {
  const { content, single_word, lstrip, rstrip, normalized, special } = fieldsOf(value)
  const number = Number(id)
  if (!Number.isInteger(number) || number < 0 || number >= MAX_ID || typeof content !== 'string')
    throw malformed('the tokenizer is damaged', {
      code: 'tokenizer-invalid',
      file,
      field,
      hint: 'fetch it again',
    })
  checkTokenLength(content.length, file)
  return {
    id: number,
    content,
    singleWord: single_word === true,
    lstrip: lstrip === true,
    rstrip: rstrip === true,
    special: special === true,
    normalized: bool(normalized) ?? special !== true,
  }
}

/** `added_tokens.json`, as older versions wrote them: tokens by name, special if they are named so elsewhere. */
function legacyTokens(files: FilePort, directory: string, special: readonly string[]): AddedToken[] {
  const file = `${directory}/added_tokens.json`
  const known = new Set(special)
  const listed = Object.entries(readJsonObject(files, file) ?? {})
  checkAddedCount(listed.length, file)
  return listed.map(([content, id]) => {
    const isSpecial = known.has(content)
    return addedTokenOf(id, { content, special: isSpecial, normalized: !isSpecial }, file, content)
  })
}

function decoderTokens(decoder: Fields, file: string): AddedToken[] {
  const listed = Object.entries(decoder)
  checkAddedCount(listed.length, file)
  return listed.map(([id, value]) => addedTokenOf(id, value, file, `added_tokens_decoder.${id}`))
}

/**
 * Reads the settings of a folder; null if it has none of the files.
 * @throws AlbertkitError `malformed` if one of them is damaged
 */
export function readSettings(files: FilePort, directory: string): TokenizerSettings | null {
  const file = `${directory}/tokenizer_config.json`
  const config = readJsonObject(files, file)
  const map = readJsonObject(files, `${directory}/special_tokens_map.json`)
  const decoder = config?.added_tokens_decoder
  const isLegacy = typeof decoder !== 'object' || decoder === null
  const fields = config ?? {}
  // The map only counts for folders that older versions wrote.
  const named: Fields = isLegacy ? { ...fields, ...map } : fields
  const listed = [fields.additional_special_tokens, ...(isLegacy ? [map?.additional_special_tokens] : [])]
  // Version 4.48 has names for special tokens of a model, version 5 a list of them.
  const additional = [...listed, fields.extra_special_tokens].flatMap((list) =>
    Object.values(Array.isArray(list) ? list : fieldsOf(list))
      .map(contentOf)
      .filter((token) => token !== undefined),
  )
  checkAddedCount(additional.length, file)
  const names = Object.fromEntries(ATTRIBUTES.map((name) => [name, contentOf(named[`${name}_token`])]))
  const special = [...ATTRIBUTES.map((name) => names[name]), ...additional].filter((token) => token !== undefined)
  // transformers leaves the older file unread where there is a newer one; a pointer or a page in its place is told.
  if (!isLegacy) readJsonObject(files, `${directory}/added_tokens.json`)
  const added = isLegacy ? legacyTokens(files, directory, special) : decoderTokens(fieldsOf(decoder), file)
  if (config === null && map === null && added.length === 0) return null
  const max = fields.model_max_length
  const { tokenizer_class: className, never_split: never } = fields
  return {
    className: typeof className === 'string' ? className.replace(/Fast$/, '') : null,
    lowerCase: bool(fields.do_lower_case),
    stripAccents: bool(fields.strip_accents),
    chinese: bool(fields.tokenize_chinese_chars),
    keepAccents: bool(fields.keep_accents),
    removeSpace: bool(fields.remove_space),
    basicTokenize: bool(fields.do_basic_tokenize),
    neverSplit: Array.isArray(never) ? never.filter((word): word is string => typeof word === 'string') : [],
    maxLength: typeof max === 'number' && max >= 2 && max <= MAX_LENGTH ? Math.floor(max) : undefined,
    cutsStart: fields.truncation_side === 'left',
    splitSpecial: fields.split_special_tokens === true,
    names: {
      ...(names.cls === undefined ? {} : { cls: names.cls }),
      ...(names.sep === undefined ? {} : { sep: names.sep }),
      ...(names.pad === undefined ? {} : { pad: names.pad }),
      ...(names.unk === undefined ? {} : { unk: names.unk }),
      ...(names.mask === undefined ? {} : { mask: names.mask }),
    },
    special: [...new Set(special)],
    added,
    fields,
  }
}
