import { explained } from '../../formats/core/explain.js'
import { dirname } from '../../formats/core/paths.js'
import { findTokenizer, loadTokenizer, type LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import type { OpenedModel } from './open.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'

/** The directory in which the tokenizer of a model lies: its own, or that of its configuration. */
export const tokenizerHome = ({ files, directory, rawConfig }: OpenedModel): string =>
  [directory, dirname(rawConfig.file)].find((d) => findTokenizer(files, d) !== null) ?? directory

/**
 * The tokenizer of a model: the one beside it, unless `vocabulary` names another.
 * @throws AlbertkitError `usage` where there is none, `malformed` or `unsupported` where it cannot be used
 */
export const modelTokenizer = (
  opened: OpenedModel,
  { vocabulary, ...options }: LoadTokenizerOptions & { readonly vocabulary?: string } = {},
): Tokenizer => {
  try {
    return loadTokenizer(opened.files, vocabulary ?? tokenizerHome(opened), options)
  } catch (error) {
    throw explained(opened.files, error)
  }
}
