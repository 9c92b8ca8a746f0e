import { existsSync } from 'node:fs'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import { precisionNamed } from '../../base/artefact-layout.js'
import { usage } from '../../base/errors.js'
import { omitUndefined } from '../../base/omit-undefined.js'

/**
 * An argument of the command line. oclif reads an absent one from standard input by default: in a pipeline,
 * `verify MODEL` would take the name of a directory from there.
 */
export const argument = Args.custom({ ignoreStdin: true })

/** The program of the browser runtimes. */
export const browserFlag = Flags.string({
  description: 'Chrome or Chromium for the browser runtimes',
  helpValue: 'PATH',
  parse: (file) =>
    existsSync(file)
      ? Promise.resolve(file)
      : Promise.reject(usage('there is no such file', { code: 'file-missing', file })),
})

/** Flags of the queue commands. */
export const queueFlags = {
  redis: Flags.string({
    description: 'address of the Redis server; rediss:// connects by TLS, user and password stand before the host',
    default: 'redis://127.0.0.1:6379',
    helpValue: 'URL',
  }),
  'redis-ca': Flags.string({
    description: 'certificates of the authorities to trust with rediss://, in PEM',
    helpValue: 'FILE',
  }),
  'redis-cert': Flags.string({
    description: 'certificate of this client with rediss://, in PEM',
    helpValue: 'FILE',
    dependsOn: ['redis-key'],
  }),
  'redis-key': Flags.string({
    description: 'key of this client, in PEM',
    helpValue: 'FILE',
    dependsOn: ['redis-cert'],
  }),
  queue: Flags.string({ description: 'name of the queue', default: 'albertkit', helpValue: 'NAME' }),
}

/** Options of the library for the address of Redis. */
export const redisOptions = (flags: {
  readonly redis: string
  readonly 'redis-ca'?: string | undefined
  readonly 'redis-cert'?: string | undefined
  readonly 'redis-key'?: string | undefined
}) => ({ url: flags.redis, ca: flags['redis-ca'], cert: flags['redis-cert'], key: flags['redis-key'] })

/** Flag for an epsilon, above 0 and at most 1. */
const epsilonFlag = Flags.custom<number>({
  description: "LayerNorm epsilon to use instead of the model's own, e.g. 1e-3 for one trained with Keras' default",
  helpValue: 'N',
  parse: (text) => {
    const epsilon = Number(text)
    if (text.trim() !== '' && epsilon > 0 && epsilon <= 1) return Promise.resolve(epsilon)
    return Promise.reject(
      usage(`--layer-norm-epsilon takes a number above 0 and at most 1, not ${text}`, { code: 'option-invalid' }),
    )
  },
})

/** Flags that select the model within a file. */
export const selectFlags = {
  scope: Flags.string({ description: 'scope of the model to read, if the file holds several', helpValue: 'NAME' }),
  head: Flags.string({
    description: 'dense layer outside the encoder to use as the classifier, by the prefix of its names',
    helpValue: 'NAME',
  }),
  ema: Flags.boolean({ description: 'read the exponential moving averages of the weights instead of the weights' }),
  'merge-lora': Flags.boolean({ description: 'merge a LoRA adapter, in the file or beside it, into the weights' }),
  ignore: Flags.string({
    description:
      'ignore variables of this name (or a file beside the weights of this name), even if the model may need them; ' +
      '* matches anything; may be repeated',
    helpValue: 'PATTERN',
    multiple: true,
    multipleNonGreedy: true,
  }),
}

export interface SelectFlagValues {
  readonly scope?: string | undefined
  readonly head?: string | undefined
  readonly ema?: boolean | undefined
  readonly 'merge-lora'?: boolean | undefined
  readonly ignore?: string[] | undefined
}

/** Options of the library for these flags. */
export const selectOptions = ({ scope, head, ema, ignore, 'merge-lora': mergeLora }: SelectFlagValues) =>
  omitUndefined({ scope, head, ...(ema === true ? { ema } : {}), ...(mergeLora === true ? { mergeLora } : {}), ignore })

/** Flags of every command that reads a model. */
export const modelFlags = {
  config: Flags.string({
    description: 'configuration to use instead of the one beside the weights',
    helpValue: 'FILE',
  }),
  'layer-norm-epsilon': epsilonFlag(),
  ...selectFlags,
  checksum: Flags.boolean({
    description: 'verify CRC-32C of table blocks and tensors, and files of converted models against albertkit.json',
    default: true,
    allowNo: true,
  }),
}

/** Flag for an absolute bound, at least 0. */
export const boundFlag = Flags.custom<number>({
  description: 'absolute bound instead of the default ones',
  helpValue: 'N',
  parse: (text) => {
    const bound = Number(text)
    if (text.trim() !== '' && Number.isFinite(bound) && bound >= 0) return Promise.resolve(bound)
    return Promise.reject(usage(`--atol takes a number of at least 0, not ${text}`, { code: 'option-invalid' }))
  },
})

/** Options of `openModel` for these flags. */
export const openOptions = (
  flags: {
    config?: string | undefined
    'layer-norm-epsilon'?: number | undefined
    checksum: boolean
  } & SelectFlagValues,
) => ({
  ...selectOptions(flags),
  ...(flags.config === undefined ? {} : { config: flags.config }),
  ...(flags['layer-norm-epsilon'] === undefined ? {} : { layerNormEpsilon: flags['layer-norm-epsilon'] }),
  checksum: flags.checksum,
})

/** Flag for a number within bounds. */
export const numberFlag = (
  name: string,
  description: string,
  [low, high]: readonly [number, number],
  helpValue = 'N',
) =>
  Flags.custom<number>({
    description,
    helpValue,
    parse: (text) => {
      const n = Number(text)
      if (text.trim() !== '' && n >= low && n <= high) return Promise.resolve(n)
      return Promise.reject(
        usage(`--${name} takes a number from ${low} to ${high}, not ${text}`, { code: 'option-invalid' }),
      )
    },
  })()

/** Flag for a fraction, from 0 to 1. */
export const fractionFlag = (name: string, description: string) => numberFlag(name, description, [0, 1])

/** Flag for the fraction of answers that must stay the same. */
export const agreementFlag = () =>
  fractionFlag(
    'min-agreement',
    'fraction of answers that must stay the same with weights other than f32; 0: no check. Default 0.99',
  )

/** Flag for the tokens of a row: a number, or that it is given at run time. */
export const lengthFlag = Flags.custom<number | 'dynamic'>({
  description: 'TensorFlow Lite: tokens of a row, 128 by default; `dynamic`: given at run time, on native runtimes',
  helpValue: 'N|dynamic',
  parse: (text) => {
    if (text === 'dynamic') return Promise.resolve(text)
    if (/^[1-9]\d{0,5}$/.test(text)) return Promise.resolve(Number(text))
    return Promise.reject(
      usage(`--sequence takes a number of tokens or dynamic, not ${text}`, { code: 'option-invalid' }),
    )
  },
})

/** Options of `convertModel` for the flags on element types and files of graphs. */
export const precisionOptions = (flags: {
  dtype?: string[] | undefined
  opset?: number | undefined
  'weights-only': boolean
  'keep-embeddings': boolean
  'fp16-compute': boolean
  'external-data': boolean
  sequence?: number | 'dynamic' | undefined
  batch?: number | undefined
  inline: boolean
  'min-agreement'?: number | undefined
  gate?: string | undefined
}) => ({
  ...(flags.dtype === undefined ? {} : { dtypes: flags.dtype.map((name) => precisionNamed(name)!) }),
  ...(flags.opset === undefined ? {} : { opset: flags.opset }),
  weightsOnly: flags['weights-only'],
  keepEmbeddings: flags['keep-embeddings'],
  halfCompute: flags['fp16-compute'],
  externalData: flags['external-data'],
  ...omitUndefined({ sequence: flags.sequence, rows: flags.batch }),
  inline: flags.inline,
  ...(flags.gate === undefined ? {} : { gateInputs: flags.gate }),
  ...(flags['min-agreement'] === undefined ? {} : { minAgreement: flags['min-agreement'] }),
})
