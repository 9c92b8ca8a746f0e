import { readFeatures } from '../tokenize/feature-files.js'
import { recordsOf, type BadLine, type Example, type ExampleReader } from '../../text/data/examples.js'
import { readable } from '../../text/tokenizers/detokenize.js'
import type { FeatureRecord } from '../../text/data/feature-record.js'
import type { Features } from '../../text/data/features.js'
import type { Line, LineRange } from '../../text/data/lines.js'
import type { InputLimits, TextModel } from './text-model.js'

/** A line of text, or a record of features, with what it holds: null for a header, and for what only fills a batch. */
export interface Entry {
  /** Counted from 1. */
  readonly number: number
  readonly item: Example | BadLine | null
  /** Offset of the first byte behind it, where that is known. */
  readonly end?: number | undefined
  /** Number of the one behind it, where that is not the next number. */
  readonly next?: number | undefined
}

/** Why a model does not take a pair of texts, or null if it does. */
export const pairMisfit = ({ segments }: InputLimits): string | null =>
  segments > 1 ? null : 'there are two texts, and the model knows one segment alone: type_vocab_size is 1'

/** Lines, and what they say; a pair of texts is nothing for a model without a second segment. */
export async function* lineEntries(
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  limits: InputLimits,
): AsyncGenerator<Entry> {
  for await (const line of recordsOf(lines, reader.options.format)) {
    const item = reader.read(line)
    const reason = item !== null && 'textB' in item && item.textB !== null ? pairMisfit(limits) : null
    yield {
      number: line.number,
      item: reason !== null ? { line: line.number, reason, content: line.text } : item,
      end: line.end,
      next: line.next,
    }
  }
}

/** Why a model does not take these features, or null where it does. */
function misfit({ input_ids, token_type_ids }: Features, limits: InputLimits): string | null {
  const { vocabulary, segments, positions } = limits
  if (input_ids.length === 0) return 'the record has no tokens: its input_mask is zero throughout'
  if (input_ids.length > positions) return `the record has ${input_ids.length} tokens, and the model takes ${positions}`
  const id = input_ids.find((one) => one >= vocabulary)
  if (id !== undefined)
    return `the record has token ${id}, and the model has ${vocabulary}: is it of another vocabulary?`
  const segment = token_type_ids.find((one) => one < 0 || one >= segments)
  return segment === undefined ? null : `the record has segment ${segment}, and the model has ${segments}`
}

/** The features of a record up to its last token: what the mask leaves out behind it changes nothing. */
function withoutPadding({ input_ids, input_mask, segment_ids }: FeatureRecord): Features {
  const length = input_mask.findLastIndex((on) => on !== 0) + 1
  const mask = input_mask.slice(0, length)
  return {
    input_ids: input_ids.slice(0, length),
    token_type_ids: segment_ids.slice(0, length),
    ...(mask.includes(0) ? { attention_mask: mask } : {}),
  }
}

/** The tokens of a segment as text, for a person. */
function textOf(model: Pick<TextModel, 'tokenizer'>, { input_ids, token_type_ids }: Features, segment: number): string {
  const { cls, sep } = model.tokenizer.special
  const own = input_ids.filter((id, i) => token_type_ids[i] === segment && id !== cls && id !== sep)
  return readable(model.tokenizer, own)
}

/**
 * Records of features as run_classifier and create_pretraining_data write them, for a model. What fills the last batch is
 * no example.
 * @throws AlbertkitError as `readFeatures`
 */
export async function* recordEntries(
  path: string,
  model: Pick<TextModel, 'tokenizer' | 'labels' | 'limits'>,
  range?: LineRange,
): AsyncGenerator<Entry> {
  const part = range === undefined ? undefined : { ...range, first: range.firstLine }
  for await (const { number, end, record } of readFeatures(path, part)) {
    const features = withoutPadding(record)
    const { label } = record
    const reason = misfit(features, model.limits)
    if (!record.real) yield { number, item: null, end }
    else if (reason !== null) yield { number, item: { line: number, reason, content: JSON.stringify(record) }, end }
    else {
      const second = textOf(model, features, 1)
      const item: Example = {
        line: number,
        text: textOf(model, features, 0),
        textB: second === '' ? null : second,
        label: label === null ? null : (model.labels?.[label] ?? String(label)),
        features,
      }
      yield { number, item, end }
    }
  }
}
