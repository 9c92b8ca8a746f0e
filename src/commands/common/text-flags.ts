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
    description: "keep case and accents; the default is what the model's tokenizer_config.json says, else lower case",
    allowNo: true,
  }),
}

/** Flags that say where configuration and vocabulary lie, if not beside the weights. */
export const besideFlags = {
  config: modelFlags.config,
  vocab: Flags.string({ description: 'vocabulary instead of the one beside the model', helpValue: 'FILE' }),
}

export const besideOptions = ({ config, vocab }: { config?: string | undefined; vocab?: string | undefined }) =>
  omitUndefined({ config, vocabulary: vocab })

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
      return Promise.reject(usage(`--${name} takes a whole number from 1 to ${max}, not ${text}`))
    },
  })()

/** Flags of the commands that classify lines. */
export const textFlags = {
  ...tokenizerFlags,
  ...selectFlags,
  ...besideFlags,
  labels: Flags.string({
    description: "names of the classes, a line each, instead of the model's own",
    helpValue: 'FILE',
  }),
  'max-seq-length': positive(
    'max-seq-length',
    'tokens of a line, the rest is cut off; default as the tokenizer says, else 128',
    1 << 20,
  ),
  'batch-size': positive('batch-size', 'lines in a batch; default 32', 1 << 16, ['batch']),
  threads: positive('threads', 'threads that read, a session each; default one a core, as far as memory goes', 1024),
  runner: Flags.string({
    description: 'runtime; the fastest that is there if left out',
    options: ['onnxruntime', 'onnxruntime-web', 'tfjs-wasm'],
  }),
  'input-format': Flags.string({
    description: 'what the input is, lines or features; by the file name if left out',
    options: ['lines', 'tsv', 'csv', 'jsonl', 'tfrecord'],
    aliases: ['from'],
  }),
  header: Flags.boolean({ description: 'the first line names the columns' }),
  'text-column': Flags.string({ description: 'column of the text, by number (from 1) or name', helpValue: 'COLUMN' }),
  'text-b-column': Flags.string({ description: 'column of the second text', helpValue: 'COLUMN' }),
  'label-column': Flags.string({ description: 'column of the label', helpValue: 'COLUMN' }),
  errors: Flags.string({ description: 'where lines that cannot be used go, as JSON lines', helpValue: 'FILE' }),
}

/** Values of `textFlags`, of which a command may have some alone. */
export type TextFlagValues = Partial<InferredFlags<typeof textFlags>> & SelectFlagValues

/** Job of the library that arguments and flags describe. */
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

/** `--shard 2/8`, counted from 1. */
export const shardFlag = Flags.custom<{ index: number; count: number }>({
  description: 'compute one of n parts into the directory -o; `merge` joins them',
  helpValue: 'i/n',
  parse: (text) => {
    const [, i = '0', n = '0'] = /^(\d+)\/(\d+)$/.exec(text) ?? []
    if (Number(i) >= 1 && Number(i) <= Number(n)) return Promise.resolve({ index: Number(i) - 1, count: Number(n) })
    return Promise.reject(
      usage(`--shard takes i/n with i from 1 to n, not ${text}`, { hint: 'the first of eight is 1/8' }),
    )
  },
})
