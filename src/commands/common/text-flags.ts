import { readFileSync, statSync } from 'node:fs'
import * as Flags from '@oclif/core/flags'
import type { InferredFlags } from '@oclif/core/interfaces'
import type { TextJob } from '../../api/inference/job.js'
import { modelFlags, selectFlags, selectOptions, type SelectFlagValues } from './flags.js'
import { usage } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { InputFormat } from '../../text/data/examples.js'

/** The contents of a file of this name if there is one, else the text itself. */
function textOrFile(text: string): string {
  const isFile = text.length < 4096 && statSync(text, { throwIfNoEntry: false })?.isFile() === true
  return isFile ? readFileSync(text, 'utf8') : text
}

/** Flags of every command that tokenizes. */
export const tokenizerFlags = {
  cased: Flags.boolean({
    description: "keep case and accents; default: as the model's tokenizer_config.json says, else lower case",
    allowNo: true,
  }),
}

/** Flags for the paths of configuration and vocabulary, if they are not next to the weights. */
export const besideFlags = {
  config: modelFlags.config,
  vocab: Flags.string({ description: 'vocabulary instead of the one beside the model', helpValue: 'FILE' }),
  checksum: modelFlags.checksum,
}

interface BesideFlagValues {
  readonly config?: string | undefined
  readonly vocab?: string | undefined
  readonly checksum?: boolean | undefined
}

export const besideOptions = ({ config, vocab, checksum }: BesideFlagValues) =>
  omitUndefined({ config, vocabulary: vocab, ...(checksum === false ? { checksum } : {}) })

export const casedOptions = ({ cased }: { cased?: boolean | undefined }): { lowerCase?: boolean } =>
  cased === undefined ? {} : { lowerCase: !cased }

const positive = (name: string, description: string, max = 2 ** 31 - 1, aliases: string[] = []) =>
  Flags.custom<number>({
    description,
    aliases,
    helpValue: 'N',
    parse: (text) => {
      const n = Number(text)
      if (Number.isSafeInteger(n) && n >= 1 && n <= max) return Promise.resolve(n)
      return Promise.reject(
        usage(`--${name} takes a whole number from 1 to ${max}, not ${text}`, { code: 'option-invalid' }),
      )
    },
  })()

/** Flags of the commands that classify lines. */
export const textFlags = {
  ...tokenizerFlags,
  ...selectFlags,
  ...besideFlags,
  labels: Flags.string({
    description: "file of class names, one per line, instead of the model's own",
    helpValue: 'FILE',
  }),
  'max-seq-length': positive(
    'max-seq-length',
    'tokens per line, the rest is truncated; default: as the tokenizer says, else 128',
    1 << 20,
  ),
  'batch-size': positive('batch-size', 'lines per batch; default 32', 1 << 16, ['batch']),
  threads: positive('threads', 'threads, each with a session; default: one per core, as far as memory allows', 1024),
  runner: Flags.string({
    description: 'runtime; default: the fastest that is installed',
    options: ['onnxruntime', 'onnxruntime-web', 'tfjs-wasm', 'litert'],
  }),
  'input-format': Flags.string({
    description: 'format of the input; default: by name and contents of the file',
    options: ['lines', 'tsv', 'csv', 'jsonl', 'tfrecord', 'conll', 'squad'],
    aliases: ['from'],
  }),
  header: Flags.boolean({ description: 'the first line names the columns' }),
  'text-column': Flags.string({ description: 'column of the text, by number (from 1) or name', helpValue: 'COLUMN' }),
  'text-b-column': Flags.string({ description: 'column of the second text', helpValue: 'COLUMN' }),
  'label-column': Flags.string({ description: 'column of the label', helpValue: 'COLUMN' }),
  errors: Flags.string({ description: 'file for lines that cannot be used, as JSON lines', helpValue: 'FILE' }),
}

/** Flags of the commands that answer lines: what the model is used for, and how questions are answered. */
export const readingFlags = {
  task: Flags.string({
    description: 'what the model is used for; default: what its head is for',
    options: ['classify', 'token-classification', 'qa'],
  }),
  context: Flags.string({
    description: 'question answering: the passage, or a file that holds it; else the second column has it',
    helpValue: 'TEXT|FILE',
  }),
  'doc-stride': positive(
    'doc-stride',
    'question answering: tokens from one window of a long passage to the next; default 128',
  ),
  'max-answer-length': positive('max-answer-length', 'question answering: tokens of an answer; default 30'),
  'null-threshold': Flags.custom<number>({
    description:
      'question answering: answer nothing if the score of no answer exceeds that of the best one by more than N, as ' +
      'in SQuAD 2; default: always answer',
    helpValue: 'N',
    parse: (text) => {
      const n = Number(text)
      if (text.trim() !== '' && Number.isFinite(n)) return Promise.resolve(n)
      return Promise.reject(usage(`--null-threshold takes a number, not ${text}`, { code: 'option-invalid' }))
    },
  })(),
}

/** Options of a job for `readingFlags`. */
export const readingOptions = (flags: Partial<InferredFlags<typeof readingFlags>>) => ({
  task: flags.task as TextJob['task'],
  context: flags.context === undefined ? undefined : textOrFile(flags.context),
  docStride: flags['doc-stride'],
  maxAnswerLength: flags['max-answer-length'],
  nullThreshold: flags['null-threshold'],
})

/** Values of `textFlags`; a command may have only some of these flags. */
export type TextFlagValues = Partial<InferredFlags<typeof textFlags>> & SelectFlagValues

/** Builds the library's job from arguments and flags. */
export const jobOf = (model: string, input: string, flags: TextFlagValues, format: TextJob['format']): TextJob => ({
  model,
  input,
  format,
  inputFormat: flags['input-format'] as InputFormat | undefined,
  header: flags.header === true ? true : undefined,
  textColumn: flags['text-column'],
  textBColumn: flags['text-b-column'],
  labelColumn: flags['label-column'],
  labels: flags.labels,
  ...besideOptions(flags),
  lowerCase: flags.cased === undefined ? undefined : !flags.cased,
  maxSeqLength: flags['max-seq-length'],
  batch: flags['batch-size'],
  threads: flags.threads,
  runner: flags.runner,
  ...selectOptions(flags),
})

/** Flag for a shard, counted from 1: `--shard 2/8`. */
export const shardFlag = Flags.custom<{ index: number; count: number }>({
  description: 'compute shard i of n into the directory -o; `merge` joins the shards',
  helpValue: 'i/n',
  parse: (text) => {
    const [, i = '0', n = '0'] = /^(\d+)\/(\d+)$/.exec(text) ?? []
    if (Number(i) >= 1 && Number(i) <= Number(n)) return Promise.resolve({ index: Number(i) - 1, count: Number(n) })
    return Promise.reject(
      usage(`--shard takes i/n with i from 1 to n, not ${text}`, {
        code: 'option-invalid',
        hint: 'the first of eight is 1/8',
      }),
    )
  },
})
