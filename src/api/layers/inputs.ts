import { dirname } from '../../formats/core/paths.js'
import { usage } from '../../base/errors.js'
import { openSource } from '../open/source.js'
import { forwardFlops } from '../../model/accounting/cost.js'
import type { HeadSelection } from '../../model/tasks.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { makeBatches } from '../../text/data/batches.js'
import { makeFeatures, type Features } from '../../text/data/features.js'
import { findTokenizer } from '../../text/tokenizers/load.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { checkInputs, readGolden } from '../../compare/golden.js'
import { defaultInputs } from '../../compare/sample-inputs.js'
import type { OpenedModel } from '../open/open.js'
import { modelTokenizer } from '../open/tokenizer.js'
import { inputsOf, ROWS, textInputs } from '../verify/text-inputs.js'
import { SAMPLES } from '../../text/data/samples.js'

/** Inputs for the analysis of layers. */
export interface LayerInputs {
  readonly kind: 'golden' | 'text' | 'sentences' | 'drawn'
  readonly inputs: readonly ModelInputs[]
  readonly notes: readonly string[]
}

/** Six sentences per language, which the reference computes quickly. */
const SENTENCES = [...SAMPLES.zh.slice(0, 6), ...SAMPLES.en.slice(0, 6)]

/** No heads: layers are looked at without them. */
export const BODY: HeadSelection = { mlm: false, sop: false, classifier: false, qa: false }

/** Floating-point operations of the reference: about five seconds. */
const BUDGET = 40e9
/** Fraction of unknown tokens above which the vocabulary does not cover a sentence's language. */
const UNKNOWN = 0.25

const unknownPart = (tokenizer: Tokenizer, { input_ids }: Features): number =>
  input_ids.filter((id) => id === tokenizer.special.unk).length / input_ids.length

/** Makes inputs of sentences in the languages of the vocabulary, as many as the budget allows. */
function sentenceInputs(opened: OpenedModel, tokenizer: Tokenizer): LayerInputs {
  const { model } = opened
  const all = SENTENCES.map((text) => makeFeatures(tokenizer, text, null, model.config.max_position_embeddings))
  const known = all.filter((row) => unknownPart(tokenizer, row) <= UNKNOWN)
  const candidates = known.length > 0 ? known : all
  let spent = 0
  const rows = candidates.filter((row, i) => {
    spent += forwardFlops(model, BODY, 1, row.input_ids.length)
    return i === 0 || spent <= BUDGET
  })
  const notes = [
    `the inputs are ${rows.length} built-in sentences; \`text\` gives your own`,
    ...(known.length > 0 ? [] : ['most of their tokens are not in the vocabulary']),
  ]
  return { kind: 'sentences', inputs: makeBatches(rows, ROWS).map(inputsOf), notes }
}

async function goldenInputs({ model }: OpenedModel, file: string): Promise<LayerInputs> {
  const source = await openSource(file)
  try {
    return { kind: 'golden', inputs: [readGolden(source, model).inputs], notes: [] }
  } finally {
    source.close()
  }
}

const hasTokenizer = ({ files, directory, rawConfig }: OpenedModel): boolean =>
  [directory, dirname(rawConfig.file)].some((d) => findTokenizer(files, d) !== null)

/**
 * Chooses the inputs: those of a golden, the lines of a text, built-in sentences or, without a vocabulary, random
 * tokens.
 * @throws AlbertkitError `usage`, `malformed`
 */
export async function layerInputs(
  opened: OpenedModel,
  { golden, text }: { readonly golden?: string; readonly text?: string },
): Promise<LayerInputs> {
  if (golden !== undefined && text !== undefined)
    throw usage('`golden` and `text` cannot be combined: both give the inputs', { code: 'option-conflict' })
  if (golden !== undefined) return goldenInputs(opened, golden)
  if (text !== undefined) {
    const { inputs, notes } = await textInputs(opened, BODY, text, BUDGET)
    for (const batch of inputs) checkInputs(opened.model, batch, text)
    return { kind: 'text', inputs, notes }
  }
  if (hasTokenizer(opened)) {
    const tokenizer = modelTokenizer(opened)
    const made = sentenceInputs(opened, tokenizer)
    for (const batch of made.inputs) checkInputs(opened.model, batch, tokenizer.file)
    return made
  }
  const note = 'there is no vocabulary beside the model: the inputs are random tokens, which no model was trained on'
  const { inputs, notes } = defaultInputs(opened.model, BODY)
  return { kind: 'drawn', inputs, notes: [note, ...notes] }
}
