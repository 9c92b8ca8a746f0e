import { convertModel } from '../../api/convert/convert.js'
import { diffModels } from '../../api/diff/diff.js'
import { inspectModel } from '../../api/inspect/inspect.js'
import { describeArtefacts } from '../../api/page/describe.js'
import { textLayers } from '../../api/page/text-layers.js'
import { countModels } from '../../api/params/params.js'
import { tokenizeLine, tokenizerOf, type TokenizeOptions } from '../../api/tokenize/tokenize.js'
import type { TokenizedLine } from '../../api/tokenize/report.js'
import { verifyModel } from '../../api/verify/verify.js'
import { analyseWeights } from '../../api/weights/weights.js'
import { readText } from './open-texts.js'

/** Texts as the tokenizer of a model, of its folder or of a vocabulary reads them. */
async function tokenizeTexts(
  path: string,
  texts: readonly string[],
  options: TokenizeOptions = {},
): Promise<TokenizedLine[]> {
  const tokenizer = await tokenizerOf(path, options)
  return texts.map((text) => tokenizeLine(tokenizer, text, options.special))
}

/** What a worker does: functions of the library, the last parameter of each its options. */
export const OPERATIONS = {
  inspectModel,
  countModels,
  analyseWeights,
  diffModels,
  convertModel,
  verifyModel,
  tokenizeTexts,
  describeArtefacts,
  readText,
  textLayers,
}

export type Operations = typeof OPERATIONS

/** Number of parameters before the options. */
export const BEFORE_OPTIONS: Readonly<Record<keyof Operations, number>> = {
  inspectModel: 1,
  countModels: 0,
  analyseWeights: 1,
  diffModels: 2,
  convertModel: 2,
  verifyModel: 2,
  tokenizeTexts: 2,
  describeArtefacts: 1,
  readText: 2,
  textLayers: 2,
}
