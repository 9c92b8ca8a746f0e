import { readFeatures } from '../tokenize/feature-files.js'
import { recordsOf, type BadLine, type Example, type ExampleReader } from '../../text/data/examples.js'
import { readable } from '../../text/tokenizers/detokenize.js'
import type { FeatureRecord } from '../../text/data/feature-record.js'
import type { Features } from '../../text/data/features.js'
import type { Line, LineRange } from '../../text/data/lines.js'
import type { InputLimits, TextModel } from './text-model.js'

/** Line of text or record of features, parsed; null for a header and for records that only pad a batch. */
export interface Entry {
  /** Number of the line or record, from 1. */
  readonly number: number
  readonly item: Example | BadLine | null
  /** Byte offset of its end, if known. */
  readonly end?: number | undefined
  /** Number of the following entry, if it is not `number + 1`. */
  readonly next?: number | undefined
}

/** Reason why a model does not accept a pair of texts; null if it does. */
export const pairMisfit = ({ segments }: InputLimits): string | null =>
  segments > 1 ? null : 'there are two texts, but the model has only one segment: type_vocab_size is 1'

/** Text or pair of texts, or features made from it. */
export type GivenText = Pick<Example, 'text' | 'textB' | 'features'>

/** Examples in the form that readers of files give, numbered by their lines. */
export async function* entriesOf(items: Iterable<Example | BadLine>): AsyncGenerator<Entry> {
  for (const item of items) yield await Promise.resolve({ number: item.line, item })
}

/** Example that is given in place of a line of a file. */
export const givenExample = (given: GivenText, line = 1): Example => ({ line, label: null, ...given })

/** Examples that are given, in the form that readers of files give. */
export const givenEntries = (given: readonly GivenText[]): AsyncGenerator<Entry> =>
  entriesOf(given.map((one, i) => givenExample(one, i + 1)))

/** Reads an example from a line, as `ExampleReader` does. */
export type LineReader = Pick<ExampleReader, 'options' | 'read'>

/** Parses lines; a pair of texts is an error for a model without a second segment. */
export async function* lineEntries(
  lines: AsyncIterable<Line>,
  reader: LineReader,
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

/** Reason why a model does not accept these features; null if it does. */
function misfit({ input_ids, token_type_ids }: Features, limits: InputLimits): string | null {
  const { vocabulary, segments, positions } = limits
  if (input_ids.length === 0) return 'the record has no tokens: its input_mask is zero throughout'
  if (input_ids.length > positions) return `the record has ${input_ids.length} tokens, but the model takes ${positions}`
  const id = input_ids.find((one) => one >= vocabulary)
  if (id !== undefined)
    return `the record has token ${id}, and the model has ${vocabulary}: is it of another vocabulary?`
  const segment = token_type_ids.find((one) => one < 0 || one >= segments)
  return segment === undefined ? null : `the record has segment ${segment}, but the model has ${segments} segments`
}

/** Features of a record up to its last unmasked token; the padding behind it does not affect the result. */
function withoutPadding({ input_ids, input_mask, segment_ids }: FeatureRecord): Features {
  const length = input_mask.findLastIndex((on) => on !== 0) + 1
  const mask = input_mask.slice(0, length)
  return {
    input_ids: input_ids.slice(0, length),
    token_type_ids: segment_ids.slice(0, length),
    ...(mask.includes(0) ? { attention_mask: mask } : {}),
  }
}

/** Tokens of a segment as text, for display. */
function textOf(model: Pick<TextModel, 'tokenizer'>, { input_ids, token_type_ids }: Features, segment: number): string {
  const { cls, sep } = model.tokenizer.special
  const own = input_ids.filter((id, i) => token_type_ids[i] === segment && id !== cls && id !== sep)
  return readable(model.tokenizer, own)
}

/**
 * Reads records of features, as run_classifier and create_pretraining_data write them. Padding of the last batch is not
 * an example.
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
