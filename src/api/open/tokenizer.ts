import { explained } from '../../formats/core/explain.js'
import { dirname } from '../../formats/core/paths.js'
import { findTokenizer, loadTokenizer, type LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import type { OpenedModel } from './open.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'

/** Directory of a model's tokenizer: that of the model, or of its configuration. */
export const tokenizerHome = ({ files, directory, rawConfig }: OpenedModel): string =>
  [directory, dirname(rawConfig.file)].find((d) => findTokenizer(files, d) !== null) ?? directory

/**
 * Loads the tokenizer of a model: the one beside it, unless `vocabulary` names another.
 * @throws AlbertkitError `usage` if it is absent, `malformed` or `unsupported` if it cannot be used
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
