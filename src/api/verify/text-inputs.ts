import { usage } from '../../base/errors.js'
import { forwardFlops } from '../../model/accounting/cost.js'
import { takesChoices } from '../../model/forward.js'
import type { HeadSelection } from '../../model/tasks.js'
import type { ModelInputs } from '../../model/reference/run.js'
import { makeBatches, type Batch } from '../../text/data/batches.js'
import { ExampleReader, isBad, recordsOf } from '../../text/data/examples.js'
import { makeFeatures, type Features } from '../../text/data/features.js'
import { textFormatOf } from '../input/format.js'
import { readLines } from '../input/lines.js'
import type { OpenedModel } from '../open/open.js'
import { modelTokenizer } from '../open/tokenizer.js'

/** Lines per batch. */
export const ROWS = 8
/** Floating-point operations of the reference on a text: about five seconds. */
const BUDGET = 40e9

export const inputsOf = ({ rowIndices: places, ...batch }: Batch): ModelInputs => ({ ...batch, batch: places.length })

/**
 * Makes inputs of real sentences: the lines of a text (or the texts of a TSV, CSV or JSON-lines file, pairs included)
 * through the model's tokenizer, as many as the reference can compute in a few seconds.
 * @param budget upper limit of floating-point operations; one line is always run
 * @throws AlbertkitError `usage` if the text cannot be read or the model has no vocabulary next to it
 */
export async function textInputs(
  opened: OpenedModel,
  heads: HeadSelection,
  file: string,
  budget = BUDGET,
): Promise<{ readonly inputs: readonly ModelInputs[]; readonly notes: readonly string[] }> {
  const { model } = opened
  if (takesChoices(model, heads))
    throw usage('a multiple-choice model needs groups of texts, which a file of lines does not have', {
      code: 'option-conflict',
      hint: 'omit `text`, or give inputs with `golden`',
    })
  const tokenizer = modelTokenizer(opened)
  const reader = new ExampleReader({ format: textFormatOf(file) })
  const rows: Features[] = []
  let [spent, total] = [0, 0]
  for await (const line of recordsOf(readLines(file), reader.options.format)) {
    const example = reader.read(line)
    if (example === null || isBad(example) || example.text.trim() === '') continue
    total++
    if (spent >= budget) continue
    const row = makeFeatures(tokenizer, example.text, example.textB, model.config.max_position_embeddings)
    spent += forwardFlops(model, heads, 1, row.input_ids.length)
    // At least one line is always run.
    if (spent <= budget || rows.length === 0) rows.push(row)
  }
  if (rows.length === 0) throw usage('there is no text to run the model on', { code: 'text-unusable', file })
  const notes =
    rows.length < total
      ? [`only the first ${rows.length} of ${total} texts were run: the float64 reference is slow`]
      : []
  return { inputs: makeBatches(rows, ROWS).map(inputsOf), notes }
}
