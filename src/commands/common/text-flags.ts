import * as Flags from '@oclif/core/flags'
import type { InferredFlags } from '@oclif/core/interfaces'
import type { TextJob } from '../../api/inference/job.js'
import { modelFlags, selectFlags, selectOptions, type SelectFlagValues } from './flags.js'
import { usage } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import type { InputFormat } from '../../text/data/examples.js'

/** Flags of every command that tokenizes. */
export const tokenizerFlags = {
  cased: Flags.boolean({
    description: "keep case and accents; default: as the model's tokenizer_config.json says, else lower case",
    allowNo: true,
  }),
}

/** Flags for the paths of configuration and vocabulary, if they are not beside the weights. */
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
    options: ['onnxruntime', 'onnxruntime-web', 'tfjs-wasm'],
  }),
  'input-format': Flags.string({
    description: 'format of the input, lines or features; default: by the file name',
    options: ['lines', 'tsv', 'csv', 'jsonl', 'tfrecord'],
    aliases: ['from'],
  }),
  header: Flags.boolean({ description: 'the first line names the columns' }),
  'text-column': Flags.string({ description: 'column of the text, by number (from 1) or name', helpValue: 'COLUMN' }),
  'text-b-column': Flags.string({ description: 'column of the second text', helpValue: 'COLUMN' }),
  'label-column': Flags.string({ description: 'column of the label', helpValue: 'COLUMN' }),
  errors: Flags.string({ description: 'file for lines that cannot be used, as JSON lines', helpValue: 'FILE' }),
}

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
