import { refuseSame } from '../../files/atomic-file.js'
import { addSource, keepSources, refuseSources } from '../../base/sources.js'
import { usage } from '../../base/errors.js'
import { ErrorsFile, refuseExistingErrors } from '../inference/errors-file.js'
import { readerOf, type TextJob } from '../inference/job.js'
import { readLabelsFile } from '../inference/model.js'
import type { BadLine } from '../../text/data/examples.js'
import { readLines } from '../input/lines.js'
import { tokenNames } from '../../text/tokenizers/detokenize.js'
import type { LoadTokenizerOptions } from '../../text/tokenizers/load.js'
import { readFeatures, writeFeatures } from './feature-files.js'
import { labelsBeside, tokenizerOf } from './tokenize.js'
import type { RecordsReport, TokenizedRecord } from './report.js'

/** Default tokens per record, as in run_classifier. */
const DEFAULT_LENGTH = 128

export interface WriteRecordsOptions {
  readonly output: string | undefined
  /** Path for the lines that cannot be used. */
  readonly errors?: string | undefined
  readonly force: boolean
  readonly onBad?: (bad: BadLine) => void
}

/** Class names from `file`, or from files next to the model or vocabulary; null if there are none. */
const labelNames = async (path: string, file: string | undefined): Promise<readonly string[] | null> =>
  file === undefined ? labelsBeside(path) : readLabelsFile(file)

/**
 * Writes the features of a file of examples as a TFRecord file of run_classifier.
 * @param job `model` is a vocabulary or a model, `input` the file of examples
 * @throws AlbertkitError `usage`, `output`
 */
export function writeRecords(job: TextJob, options: WriteRecordsOptions): Promise<RecordsReport> {
  return keepSources(() => write(job, options))
}

async function write(
  job: TextJob,
  { output, errors: errorsPath, force, onBad }: WriteRecordsOptions,
): Promise<RecordsReport> {
  if (output === undefined) throw usage('writing features requires `output`', { code: 'option-missing' })
  refuseSame({ 'the text': job.input, 'the output': output, 'the file of errors': errorsPath })
  refuseExistingErrors(errorsPath, force)
  addSource(job.input)
  const reader = readerOf(job)
  const lower = job.lowerCase === undefined ? {} : { lowerCase: job.lowerCase }
  const [tokenizer, labels] = [await tokenizerOf(job.model, lower), await labelNames(job.model, job.labels)]
  const errors = new ErrorsFile(errorsPath)
  const { maxSeqLength = DEFAULT_LENGTH } = job
  try {
    refuseSources([output, errorsPath])
    const records = await writeFeatures(output, tokenizer, readLines(job.input), reader, {
      maxLength: maxSeqLength,
      labels,
      force,
      onBad: (bad) => {
        onBad?.(bad)
        errors.add(bad)
      },
    })
    errors.commit()
    return { file: output, records, maxSeqLength, bad: errors.count }
  } catch (error) {
    errors.fail(error)
    throw error
  } finally {
    errors.close()
  }
}

/**
 * Reads records of a file of features, with the tokens of a vocabulary.
 * @param path vocabulary or model
 * @throws AlbertkitError as `readFeatures` and `tokenizerOf`
 */
export async function* readRecords(
  path: string,
  input: string,
  { labels: labelsFile, ...options }: LoadTokenizerOptions & { readonly labels?: string | undefined } = {},
): AsyncGenerator<TokenizedRecord> {
  const [tokenizer, labels] = [await tokenizerOf(path, options), await labelNames(path, labelsFile)]
  for await (const { record } of readFeatures(input)) {
    const { label, real, ...features } = record
    const length = features.input_mask.lastIndexOf(1) + 1
    yield {
      tokens: tokenNames(tokenizer, features.input_ids.slice(0, length)),
      ...features,
      label_id: label,
      label: label === null ? null : (labels?.[label] ?? null),
      is_real_example: real,
    }
  }
}
