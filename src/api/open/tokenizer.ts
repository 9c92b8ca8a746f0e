import { usage } from '../../base/errors.js'
import { explained } from '../../formats/core/explain.js'
import { dirname } from '../../formats/core/paths.js'
import { findTokenizer, loadTokenizer, type LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import type { OpenedModel } from './open.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'

/** Directory of a model's tokenizer: that of the model, or of its configuration. */
export const tokenizerHome = ({ files, directory, rawConfig }: OpenedModel): string =>
  [directory, dirname(rawConfig.file)].find((d) => findTokenizer(files, d) !== null) ?? directory

interface TokenizerChoice extends LoadTokenizerOptions {
  /** A file or a folder, instead of the one next to the model. */
  readonly vocabulary?: string
}

/**
 * Loads the tokenizer of a model: the one next to it, unless `vocabulary` names another.
 * @throws AlbertkitError `usage` if it is absent, `malformed` or `unsupported` if it cannot be used
 */
export const modelTokenizer = (opened: OpenedModel, { vocabulary, ...options }: TokenizerChoice = {}): Tokenizer => {
  try {
    return loadTokenizer(opened.files, vocabulary ?? tokenizerHome(opened), options)
  } catch (error) {
    throw explained(opened.files, error)
  }
}

/**
 * Loads the tokenizer of a model whose tokens the model reads.
 * @throws AlbertkitError `usage` if it has more tokens than the model; as `modelTokenizer`
 */
export function fittingTokenizer(opened: OpenedModel, options?: TokenizerChoice): Tokenizer {
  const tokenizer = modelTokenizer(opened, options)
  const { vocab_size } = opened.config
  if (tokenizer.size <= vocab_size) return tokenizer
  throw usage(`the vocabulary has ${tokenizer.size} tokens, the model ${vocab_size}`, {
    code: 'vocabulary-mismatch',
    file: tokenizer.file,
    hint: 'give the vocabulary of the model with `vocabulary`',
  })
}
