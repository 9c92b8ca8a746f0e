import { AlbertkitError, usage } from '../../base/errors.js'
import type { ExportOptions } from '../../export/options.js'
import { forwardFlops } from '../../model/accounting/cost.js'
import { takesChoices } from '../../model/forward.js'
import type { HeadSelection } from '../../model/tasks.js'
import { resolveTask } from '../../model/outputs.js'
import { headsFor, isTextClassifier } from '../../model/tasks.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { makeBatches } from '../../text/data/batches.js'
import { ExampleReader, isBad, recordsOf, type Example } from '../../text/data/examples.js'
import { makeFeatures, type Features } from '../../text/data/features.js'
import { textFormatOf } from '../input/format.js'
import { readLines } from '../input/lines.js'
import { languagesOf, sampleTexts } from '../../text/data/samples.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { drawInputs } from '../../compare/sample-inputs.js'
import type { OpenedModel } from '../open/open.js'
import { readLabels } from '../labels.js'
import { modelTokenizer } from '../open/tokenizer.js'

/** Inputs of the gate: given lines, built-in sentences if there is a tokenizer, else random tokens. */

/** Floating-point operations of the float32 model on built-in inputs: a minute on a slow core. */
const BUDGET = 5e11
/** Rows per batch of random tokens: one full, one padded, one with masked positions inside. */
const ROWS = 3
const BATCHES = 100
const LENGTH = 32
/** Limits on the number of sample texts. */
const [MOST_TEXTS, LEAST_TEXTS] = [240, 24]
const TEXT_BATCH = 8
const TEXT_LENGTH = 128
/** For masked-token models, every n-th token is masked. */
const MASK_EVERY = 7

export interface GateBatch {
  readonly inputs: ModelInputs
  /** Class of each row, −1 if its label is absent or unknown to the model; null if no line has a label. */
  readonly classes: readonly number[] | null
}

export interface GateInputs {
  /** `file`: given lines; `text`: built-in sentences; `vocabulary`: random tokens. */
  readonly kind: 'file' | 'text' | 'vocabulary'
  readonly batches: readonly GateBatch[]
  /** Lines of the file that could not be used. */
  readonly skipped: number
}

/** Loads the model's tokenizer. @throws AlbertkitError `usage` if it is absent or has more tokens than the model */
function ownTokenizer(opened: OpenedModel): Tokenizer {
  const tokenizer = modelTokenizer(opened)
  const { vocab_size } = opened.config
  if (tokenizer.size <= vocab_size) return tokenizer
  throw usage(`the vocabulary has ${tokenizer.size} tokens, the model ${vocab_size}`, {
    code: 'vocabulary-mismatch',
    file: tokenizer.file,
  })
}

/** Loads the model's tokenizer; null if it is absent or unusable. */
function tokenizerOrNull(opened: OpenedModel): Tokenizer | null {
  try {
    return ownTokenizer(opened)
  } catch (error) {
    if (error instanceof AlbertkitError) return null
    throw error
  }
}

function drawn({ model }: OpenedModel, heads: HeadSelection, fixed: number | null): GateInputs {
  const length = Math.min(LENGTH, model.config.max_position_embeddings, fixed ?? LENGTH)
  const cost = forwardFlops(model, heads, ROWS, fixed ?? length)
  const batches = Math.max(3, Math.min(BATCHES, Math.floor(BUDGET / cost)))
  const choices = takesChoices(model, heads) ? { choices: ROWS } : {}
  return {
    kind: 'vocabulary',
    batches: Array.from({ length: batches }, (_, i) => ({
      inputs: { ...drawInputs(model, ROWS, length, 100 + i), ...choices },
      classes: null,
    })),
    skipped: 0,
  }
}

/** Masks tokens, at different positions in each row. */
function masked({ input_ids, token_type_ids }: Features, row: number, { special }: Tokenizer): Features {
  const { mask, cls, sep } = special
  if (mask === null) return { input_ids, token_type_ids }
  const hidden = (id: number, i: number): boolean => (i + row) % MASK_EVERY === 0 && id !== cls && id !== sep
  return { input_ids: input_ids.map((id, i) => (hidden(id, i) ? mask : id)), token_type_ids }
}

interface Row extends Features {
  readonly class: number
}

/** Batches rows of similar length; rows of choices form groups of one batch each. */
function batchesOf(rows: readonly Row[], types: number, choices: boolean, labelled: boolean): GateBatch[] {
  return makeBatches(rows, choices ? ROWS : TEXT_BATCH).flatMap(({ rowIndices: places, ...batch }): GateBatch[] => {
    if (choices && places.length < ROWS) return []
    const token_type_ids = types > 1 ? batch.token_type_ids : new Int32Array(batch.token_type_ids.length)
    const inputs = { ...batch, token_type_ids, batch: places.length, ...(choices ? { choices: ROWS } : {}) }
    return [{ inputs, classes: labelled ? places.map((place) => rows[place]!.class) : null }]
  })
}

async function examplesIn(file: string): Promise<{ examples: Example[]; bad: number }> {
  const reader = new ExampleReader({ format: textFormatOf(file) })
  const examples: Example[] = []
  let bad = 0
  for await (const line of recordsOf(readLines(file), reader.options.format)) {
    const item = reader.read(line)
    if (item === null) continue
    if (isBad(item)) bad++
    else examples.push(item)
  }
  return { examples, bad }
}

/** Reads the lines of a file as rows, with their classes if the model is a text classifier. */
async function linesOf(
  opened: OpenedModel,
  tokenizer: Tokenizer,
  file: string,
  { classify, longest }: { readonly classify: boolean; readonly longest: number },
): Promise<{ rows: Row[]; labelled: boolean; skipped: number }> {
  const { examples, bad } = await examplesIn(file)
  if (examples.length === 0) throw usage('the file has no line of text', { code: 'text-unusable', file })
  const count = opened.model.classifier?.weight.shape[0] ?? 0
  const names = readLabels(opened) ?? Array.from({ length: count }, (_, i) => String(i))
  const rows = examples.map(({ text, textB, label }): Row => {
    const known = classify && label !== null ? names.indexOf(label) : -1
    return { ...makeFeatures(tokenizer, text, textB, longest), class: known }
  })
  const labelled = classify && examples.some(({ label }) => label !== null)
  const unknown = rows.filter((row) => row.class === -1).length
  if (labelled && unknown === rows.length)
    throw usage('no line has a label that the model knows', {
      code: 'labels-mismatch',
      file,
      hint: `a line is label<TAB>text; the labels are ${names.slice(0, 12).join(', ')}`,
    })
  // A line without a class does not count for accuracy; it may be a header.
  return labelled
    ? { rows: rows.filter((row) => row.class !== -1), labelled, skipped: bad + unknown }
    : { rows, labelled, skipped: bad }
}

/**
 * Chooses the inputs on which a model in reduced precision is compared with float32.
 * @param file path of texts, labelled for a classifier; requires a vocabulary next to the model
 * @param fixed tokens of a row, if the graphs take no other number: shorter texts are padded to it
 * @throws AlbertkitError `usage` if `file` is unusable
 */
export async function gateInputs(
  opened: OpenedModel,
  { task }: Pick<ExportOptions, 'task'>,
  file?: string,
  fixed: number | null = null,
): Promise<GateInputs> {
  const { model, config } = opened
  const resolved = resolveTask(model, task)
  const heads = headsFor(resolved)
  const choices = takesChoices(model, heads)
  const types = config.type_vocab_size
  const longest = Math.min(TEXT_LENGTH, config.max_position_embeddings, fixed ?? TEXT_LENGTH)
  if (file !== undefined) {
    const { rows, labelled, skipped } = await linesOf(opened, ownTokenizer(opened), file, {
      classify: isTextClassifier(resolved),
      longest,
    })
    const batches = batchesOf(rows, types, choices, labelled)
    if (batches.length === 0)
      throw usage(`the file has fewer lines than the ${ROWS} choices of an input`, { code: 'text-unusable', file })
    return { kind: 'file', batches, skipped }
  }
  const tokenizer = tokenizerOrNull(opened)
  const languages = tokenizer === null ? [] : languagesOf(tokenizer)
  if (tokenizer === null || languages.length === 0) return drawn(opened, heads, fixed)
  const cost = forwardFlops(model, heads, 1, fixed ?? Math.min(longest, LENGTH))
  const count = Math.max(LEAST_TEXTS, Math.min(MOST_TEXTS, Math.floor(BUDGET / cost)))
  const rows = sampleTexts(languages, count).map(([text, second], row): Row => {
    const features = makeFeatures(tokenizer, text, second, longest)
    return { ...(heads.mlm ? masked(features, row, tokenizer) : features), class: -1 }
  })
  return { kind: 'text', batches: batchesOf(rows, types, choices, false), skipped: 0 }
}
