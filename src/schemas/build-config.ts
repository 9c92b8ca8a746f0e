import { PRECISIONS, TARGET_NAMES } from '../base/artefact-layout.js'
import * as z from '../vendor/zod.js'

/** Contents of `albertkit.config.*`; published as docs/schemas/config.schema.json, which editors read. */

const text = z.string().check(z.minLength(1))
const positive = z.int().check(z.gte(1))
const fraction = z.number().check(z.gte(0), z.lte(1))
const path = (about: string) => text.check(z.describe(`${about}; relative to the configuration file`))

const target = text.check(
  z.regex(new RegExp(`^(${TARGET_NAMES.join('|')})(:[a-z0-9]+(,[a-z0-9]+)*)?$`)),
  z.describe('format, with element types of its own after a colon: tfjs, onnx:f32,int8'),
)

/** A number of bytes, or `20 MB`. */
export const sizeText = z.union([
  positive,
  z.string().check(z.regex(/^\d+(\.\d+)? ?([kMG]i?)?B$/), z.describe('a size: 800 kB, 20 MB, 1.5 GiB')),
])

const evaluation = z.strictObject({
  input: path('labelled lines: TSV, CSV, JSON lines, CoNLL, SQuAD'),
  inputFormat: z.optional(z.oneOf(['lines', 'tsv', 'csv', 'jsonl', 'tfrecord', 'conll', 'squad'])),
  labels: z.optional(path('file of class names')),
  header: z.optional(z.boolean()),
  textColumn: z.optional(text),
  textBColumn: z.optional(text),
  labelColumn: z.optional(text),
  lowerCase: z.optional(z.boolean()),
  maxSeqLength: z.optional(positive),
  task: z.optional(z.oneOf(['classify', 'token-classification', 'qa'])),
})

const measuring = z.strictObject({
  runners: z.optional(z.array(text)),
  batches: z.optional(z.array(positive)),
  lengths: z.optional(z.array(positive)),
  threads: z.optional(z.array(positive)),
  runs: z.optional(positive),
})

/** A limit for each artefact, or limits of those that are named. */
const limit = <T extends Parameters<typeof z.optional>[0]>(one: T) => z.union([one, z.record(z.string(), one)])
const BY_ARTEFACT = 'of each artefact, or of those that are named: { "onnx-int8": … }'

const budgets = z.strictObject({
  size: z.optional(limit(sizeText)).check(z.describe(`most bytes of the files ${BY_ARTEFACT}`)),
  latency: z
    .optional(limit(z.number().check(z.gte(0))))
    .check(z.describe(`most milliseconds of the median of a run ${BY_ARTEFACT}`)),
  agreement: z.optional(fraction).check(z.describe('least fraction of answers that rounded weights leave as they are')),
  accuracy: z.optional(limit(fraction)).check(z.describe(`least accuracy, on the lines of evaluate, ${BY_ARTEFACT}`)),
  f1: z.optional(limit(fraction)).check(z.describe(`least F1, on the lines of evaluate, ${BY_ARTEFACT}`)),
})

/** Fields of a model that `defaults` may have too. */
const shared = {
  targets: z.optional(z.array(target).check(z.minLength(1))),
  precisions: z
    .optional(z.array(z.oneOf(PRECISIONS)))
    .check(z.describe('element types of the weights of targets that name none')),
  vocabulary: z.optional(path('vocabulary instead of the one beside the model')),
  config: z.optional(path('configuration of the model instead of the one beside its weights')),
  layerNormEpsilon: z.optional(z.number()),
  scope: z.optional(text),
  head: z.optional(text),
  ema: z.optional(z.boolean()),
  mergeLora: z.optional(z.boolean()),
  ignore: z.optional(z.array(text)),
  checksum: z.optional(z.boolean()),
  task: z.optional(text),
  as: z.optional(z.oneOf(['bert', 'albert'])),
  outputs: z.optional(z.oneOf(['default', 'all'])),
  opset: z.optional(z.int()),
  externalData: z.optional(z.boolean()),
  halfCompute: z.optional(z.boolean()),
  weightsOnly: z.optional(z.boolean()),
  keepEmbeddings: z.optional(z.boolean()),
  sequence: z.optional(z.union([positive, z.literal('dynamic')])),
  rows: z.optional(positive),
  inline: z.optional(z.boolean()),
  verify: z.optional(z.boolean()).check(z.describe('run the written model and compare its outputs; true by default')),
  atol: z.optional(z.number().check(z.gte(0))),
  gate: z.optional(path('lines on which rounded weights are checked, labelled or not')),
  goldens: z
    .optional(z.array(path('safetensors or npz file of inputs and expected outputs')))
    .check(z.describe('the artefacts must give the outputs of these files')),
  evaluate: z.optional(evaluation).check(z.describe('labelled lines on which each artefact is scored')),
  bench: z
    .optional(measuring)
    .check(z.describe('how each artefact is measured; left out unless there is a budget of latency')),
  budgets: z.optional(budgets).check(z.describe('limits; a build that misses one ends with exit code 1')),
}

const model = z.strictObject({
  source: text.check(z.describe('the model: a path relative to the configuration file, or hf:org/name')),
  output: z.optional(path('directory to write; default: out/NAME')),
  ...shared,
})

const flagValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))])

export const buildConfigSchema = z.strictObject({
  $schema: z.optional(z.string()),
  models: z
    .optional(z.record(z.string().check(z.regex(/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.-]*$/u)), model))
    .check(z.describe('what `build` makes, by name')),
  defaults: z.optional(z.strictObject(shared)).check(z.describe('fields of models that do not have them')),
  cache: z.optional(path('folder of what earlier builds found out; default: .albertkit')),
  flags: z
    .optional(z.record(z.string(), z.record(z.string(), flagValue)))
    .check(z.describe('values of flags by command, `*` for all; the command line and the environment go first')),
})

export type BuildConfig = z.Infer<typeof buildConfigSchema>
export type ModelEntry = z.Infer<typeof model>
