import type { LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import { usage } from '../../base/errors.js'
import { jobOf, type TextFlagValues } from './text-flags.js'
import { badLineReporter, type Talk } from './text-talk.js'

/** `tokenize` to and from run_classifier's files of features. */

export interface ToRecordsFlags extends TextFlagValues {
  output?: string | undefined
  errors?: string | undefined
  force: boolean
}

/** Names of the classes: of the file named, or of what lies beside the model or vocabulary; null where none are. */
async function labelNames(path: string, labels: string | undefined): Promise<readonly string[] | null> {
  const { readLabelsFile } = await import('../../api/inference/model.js')
  const { labelsBeside } = await import('../../api/tokenize/tokenize.js')
  return labels === undefined ? labelsBeside(path) : readLabelsFile(labels)
}

/** Writes features of a file of examples; gives what was done, and how many lines could not be used. */
export async function toRecords(
  vocabulary: string,
  input: string,
  flags: ToRecordsFlags,
  options: LoadTokenizerOptions,
  talk: Talk,
): Promise<{ report: { file: string; records: number; maxSeqLength: number; bad: number }; text: string }> {
  const { output } = flags
  if (output === undefined) throw usage('--to tfrecord needs -o FILE')
  const { ErrorsFile, refuseExistingErrors } = await import('../../api/inference/errors-file.js')
  const { refuseSame } = await import('../../api/inference/places.js')
  const { readerOf } = await import('../../api/inference/job.js')
  const { writeFeatures } = await import('../../api/tokenize/feature-files.js')
  const { tokenizerOf } = await import('../../api/tokenize/tokenize.js')
  const { readLines } = await import('../../text/data/lines.js')
  refuseSame({ 'the text': input, 'the output': output, 'the file of errors': flags.errors })
  refuseExistingErrors(flags.errors, flags.force)
  const reader = readerOf(jobOf(vocabulary, input, flags, 'jsonl'))
  const [tokenizer, labels] = [await tokenizerOf(vocabulary, options), await labelNames(vocabulary, flags.labels)]
  const errors = new ErrorsFile(flags.errors)
  const report = badLineReporter(talk)
  const maxLength = flags['max-seq-length'] ?? 128
  try {
    errors.clear()
    const records = await writeFeatures(output, tokenizer, readLines(input), reader, {
      maxLength,
      labels,
      force: flags.force,
      onBad: (bad) => {
        report(bad)
        errors.add(bad)
      },
    })
    return {
      report: { file: output, records, maxSeqLength: maxLength, bad: errors.count },
      text: `wrote ${output}: ${records} records of ${maxLength} tokens`,
    }
  } finally {
    errors.close()
  }
}

/** Each record of a file of features as a line: its tokens without padding, or all of it as JSON. */
export async function* fromRecords(
  vocabulary: string,
  input: string,
  json: boolean,
  { labels: labelsFile, ...options }: LoadTokenizerOptions & { readonly labels?: string | undefined },
): AsyncGenerator<string> {
  const { readFeatures } = await import('../../api/tokenize/feature-files.js')
  const { tokenizerOf } = await import('../../api/tokenize/tokenize.js')
  const { tokenNames } = await import('../../text/tokenizers/detokenize.js')
  const [tokenizer, labels] = [await tokenizerOf(vocabulary, options), await labelNames(vocabulary, labelsFile)]
  for await (const { record } of readFeatures(input)) {
    const { label, real, ...features } = record
    const tokens = tokenNames(tokenizer, features.input_ids.slice(0, features.input_mask.lastIndexOf(1) + 1))
    const name = label === null ? null : (labels?.[label] ?? null)
    yield json
      ? JSON.stringify({ tokens, ...features, label_id: label, label: name, is_real_example: real })
      : tokens.join(' ')
  }
}
