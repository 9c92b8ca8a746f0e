import { malformed } from '../../base/errors.js'
import { VECTOR_FORMATS } from '../inference/embed.js'
import { PREDICTION_FORMATS } from '../inference/predict.js'
import type { TextJob } from '../inference/job.js'
import { SETTINGS } from '../finetune/settings.js'
import type { SweepOptions } from '../sweep/sweep.js'

type Kind = 'text' | 'texts' | 'number' | 'count' | 'flag' | 'path' | 'format'

/** Largest count of an option, of tokens for instance: that of the flags of the command line. */
const MAX_COUNT = 1 << 20

/** Options that a job of a queue may have; its paths and the threads of the worker come from elsewhere. */
const OPTIONS: Readonly<Record<Exclude<keyof TextJob, 'model' | 'input' | 'vocabulary' | 'labels' | 'threads'>, Kind>> =
  {
    format: 'format',
    pooling: 'text',
    prompt: 'text',
    promptName: 'text',
    inputFormat: 'text',
    header: 'flag',
    textColumn: 'text',
    textBColumn: 'text',
    labelColumn: 'text',
    task: 'text',
    context: 'text',
    docStride: 'count',
    maxAnswerLength: 'count',
    nullThreshold: 'number',
    labelNames: 'texts',
    config: 'path',
    checksum: 'flag',
    lowerCase: 'flag',
    maxSeqLength: 'count',
    batch: 'count',
    runner: 'text',
    scope: 'text',
    head: 'text',
    ema: 'flag',
    mergeLora: 'flag',
    ignore: 'texts',
  }

const FORMATS: readonly string[] = [...PREDICTION_FORMATS, ...VECTOR_FORMATS]

const isText = (value: unknown): boolean => typeof value === 'string'
const FITS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  text: isText,
  path: isText,
  texts: (value) => Array.isArray(value) && value.every(isText),
  number: (value) => typeof value === 'number',
  count: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_COUNT,
  format: (value) => FORMATS.includes(value as string),
  flag: (value) => typeof value === 'boolean',
}

/** Options of a sweep's trials that its grid does not vary, beside `SETTINGS`. */
const SWEEP_OPTIONS = {
  task: 'text',
  labels: 'texts',
  metric: 'text',
  runner: 'text',
  lowerCase: 'flag',
  inputFormat: 'text',
  header: 'flag',
  textColumn: 'text',
  textBColumn: 'text',
  labelColumn: 'text',
  head: 'text',
  scope: 'text',
  ema: 'flag',
  mergeLora: 'flag',
  ignore: 'texts',
  layerNormEpsilon: 'number',
} as const satisfies Partial<Record<keyof SweepOptions, Kind>>

/** True if an option is known and has a value that it takes. */
type Fits = (name: string, value: unknown) => boolean

const fitsIn =
  (table: Readonly<Record<string, Kind>>): Fits =>
  (name, value) =>
    Object.hasOwn(table, name) && FITS[table[name]!](value)

function checkJob(options: Readonly<Record<string, unknown>>, fits: Fits): void {
  for (const [name, value] of Object.entries(options))
    if (!fits(name, value))
      throw malformed(`a job has no option ${name}, or not of this type`, {
        code: 'record-invalid',
        field: name,
        hint: 'it may come from another version of albertkit',
      })
}

/**
 * Reads the options of a job, which are untrusted input.
 * @param path resolves a path among them
 * @throws AlbertkitError `malformed` for an unknown option, or one of another type
 */
export function jobOptions(
  options: Readonly<Record<string, unknown>>,
  path: (path: string) => string,
): Pick<TextJob, keyof typeof OPTIONS> {
  checkJob(options, fitsIn(OPTIONS))
  const read = Object.entries(options).map(([name, value]): [string, unknown] => [
    name,
    OPTIONS[name as keyof typeof OPTIONS] === 'path' ? path(value as string) : value,
  ])
  return { format: 'jsonl', ...(Object.fromEntries(read) as Partial<TextJob>) }
}

/**
 * Reads the options of a sweep's job, which are untrusted input; `data` holds checksums.
 * @throws AlbertkitError `malformed` for an unknown option, or one of another type
 */
export function sweepJobOptions({ data: _d, ...options }: Readonly<Record<string, unknown>>): SweepOptions {
  const other = fitsIn(SWEEP_OPTIONS)
  checkJob(options, (name, value) =>
    Object.hasOwn(SETTINGS, name) ? SETTINGS[name as keyof typeof SETTINGS].fits(value) : other(name, value),
  )
  return options
}
