import * as z from 'zod'
import { RUNNERS } from '../../src/runtime/runners.js'
import { OPERATIONS } from '../../src/compare/stages.js'
import { TEXT_SCHEMAS } from './text-schemas.js'

/**
 * The `--json` documents as zod schemas. docs/schemas is generated from them (`npx vitest -u test/report`), and what the
 * commands print is held against them.
 */

const nullableNumber = z.number().nullable()
const shape = z.array(z.int().min(0))

export const errorSchema = z.strictObject({
  ok: z.literal(false),
  error: z.strictObject({
    kind: z.enum(['usage', 'malformed', 'unsupported', 'output', 'environment', 'check', 'interrupted', 'unexpected']),
    message: z.string(),
    file: z.string().optional(),
    tensor: z.string().optional(),
    offset: z.int().optional(),
    field: z.string().optional(),
    hint: z.string().optional(),
  }),
})

const config = z.strictObject({
  family: z.enum(['zh', 'google', 'google_fast', 'bert', 'hf']),
  architecture: z.enum(['albert', 'bert']),
  vocab_size: z.int(),
  embedding_size: z.int(),
  hidden_size: z.int(),
  num_hidden_layers: z.int(),
  num_attention_heads: z.int(),
  intermediate_size: z.int(),
  max_position_embeddings: z.int(),
  type_vocab_size: z.int(),
  num_hidden_groups: z.int(),
  inner_group_num: z.int(),
  layer_norm_eps: z.number(),
  hidden_act: z.enum(['gelu_tanh', 'gelu_erf', 'relu', 'swish', 'tanh', 'linear']),
  norm_position: z.enum(['post', 'pre']),
  mask_penalty: z.number(),
  id2label: z.record(z.string(), z.string()).nullable(),
  mlm_head: z
    .strictObject({
      hidden_act: z.enum(['gelu_tanh', 'gelu_erf', 'relu', 'swish', 'tanh', 'linear']),
      layer_norm_eps: z.number(),
    })
    .optional(),
  classifier_kind: z.enum(['sequence', 'token', 'choice']).optional(),
  file: z.string(),
})

const parts = z.strictObject({
  embeddings: z.int(),
  attention: z.int(),
  ffn: z.int(),
  norms: z.int(),
  pooler: z.int(),
  heads: z.int(),
})

export const inspectSchema = z.strictObject({
  ok: z.boolean().describe('false where the model is not complete; exit code 3'),
  format: z.string(),
  files: z.array(z.string()),
  family: z.enum(['zh', 'google', 'google_fast', 'bert', 'hf']),
  architecture: z.enum(['albert', 'bert']),
  title: z.string(),
  reason: z.string().describe('why the family was recognised'),
  config,
  heads: z.array(z.enum(['mlm', 'sop', 'classifier', 'token-classifier', 'multiple-choice', 'qa'])),
  variables: z.array(
    z.strictObject({
      name: z.string(),
      dtype: z.string(),
      shape,
      parameters: z.int(),
      bytes: z.int(),
      slot: z.string().nullable(),
    }),
  ),
  counts: z.strictObject({ mapped: z.int(), skipped: z.int(), unknown: z.int(), missing: z.int() }),
  skipped: z.array(z.strictObject({ variable: z.string(), reason: z.string() })),
  unknown: z.array(z.string()),
  missing: z.array(z.strictObject({ slot: z.string(), variable: z.string() })),
  missingFiles: z.array(z.string()),
  parameters: z
    .strictObject({
      stored: z.int(),
      used: z.int(),
      bytes: z.int(),
      parts,
      embedding: z.strictObject({
        V: z.int(),
        E: z.int(),
        H: z.int(),
        unfactorised: z.int(),
        factorised: z.int(),
        ratio: z.number(),
      }),
    })
    .nullable(),
  notes: z.array(z.string()),
})

const dtype = z
  .enum(['f16', 'bf16', 'int8', 'uint16', 'uint8'])
  .describe('element type of the weights; absent for float32')
const adapterSchema = z.strictObject({
  vendor: z.string(),
  device: z.string(),
  driver: z.string(),
  software: z.boolean(),
})

const judged = { maxAbs: nullableNumber, atol: z.number(), ok: z.boolean() }
const operation = z.enum(OPERATIONS)
const layer = z.int().nullable().describe('-1: the embeddings; null: a head')

export const verifySchema = z.strictObject({
  ok: z.boolean(),
  family: z.enum(['zh', 'google', 'google_fast', 'bert', 'hf']),
  golden: z.string().nullable(),
  against: z.string().optional().describe('the model whose reference is the arbiter, where it is another one'),
  saved: z.string().optional().describe('where inputs and reference outputs were written'),
  inputs: z.array(shape),
  runtimes: z.array(
    z.strictObject({
      runner: z.string(),
      detail: z.string(),
      dtype: dtype.optional(),
      precision: z.enum(['float32', 'float16', 'int8']),
      adapter: adapterSchema.nullable(),
      ms: z.array(z.number()).optional().describe('of a second run of each input, with --gpu'),
    }),
  ),
  comparisons: z.array(
    z.strictObject({
      dtype: dtype.optional(),
      runner: z.enum(['reference', 'reference(safetensors)', 'reference(tf)', ...RUNNERS.map(({ name }) => name)]),
      output: z.string(),
      shape,
      expectedShape: shape.optional().describe('what it should be, where it is not that'),
      rows: z.literal('masked').optional(),
      maxAbs: nullableNumber,
      meanAbs: nullableNumber,
      cosine: nullableNumber,
      ulps: nullableNumber.describe('maxAbs in steps of float32 at the largest expected value'),
      where: shape,
      atol: z.number(),
      ok: z.boolean(),
    }),
  ),
  weights: z.array(
    z.strictObject({
      artefact: z.enum(['tfjs', 'onnx', 'safetensors', 'tf']),
      dtype: dtype.optional(),
      compared: z.int(),
      differences: z.array(z.strictObject({ slot: z.string(), variable: z.string(), reason: z.string() })),
      ok: z.boolean(),
    }),
  ),
  notRun: z.array(z.strictObject({ runner: z.string(), output: z.string().optional(), reason: z.string() })),
  notes: z.array(z.string()),
  layers: z
    .array(
      z.strictObject({
        runner: z.string(),
        layer: z.int().describe('-1: the embeddings'),
        output: z.string(),
        ...judged,
      }),
    )
    .optional()
    .describe('with --layers or --bisect: every hidden state'),
  operations: z
    .array(z.strictObject({ runner: z.string(), layer, operation, output: z.string(), ...judged }))
    .optional()
    .describe('operations by themselves: of every runtime with --bisect, of those that diverge with --layers'),
  firstDivergent: z
    .strictObject({ runner: z.string(), layer, operation: operation.nullable(), output: z.string() })
    .nullable()
    .optional(),
})

export const doctorSchema = z.strictObject({
  ok: z.boolean().describe('whether everything that is required works'),
  version: z.string(),
  node: z.strictObject({ version: z.string(), required: z.string(), ok: z.boolean() }),
  system: z.strictObject({
    platform: z.string(),
    release: z.string(),
    arch: z.string(),
    cpu: z.string(),
    threads: z.int(),
    memory: z.int().describe('bytes'),
    freeMemory: z.int().describe('bytes'),
  }),
  adapters: z.array(z.string()).describe('WebGPU adapters that Dawn sees'),
  runtimes: z.array(
    z.strictObject({
      name: z.string(),
      required: z.boolean(),
      place: z.enum(['cpu', 'optional', 'browser', 'gpu']),
      status: z.enum(['works', 'software', 'absent', 'broken']),
      detail: z.string().nullable(),
      adapter: adapterSchema.nullable(),
      maxAbs: nullableNumber.describe('largest difference from the float64 reference on a small model'),
      reason: z.string().nullable(),
      fix: z.string().nullable(),
    }),
  ),
  packages: z.array(z.strictObject({ name: z.string(), version: z.string().nullable(), purpose: z.string() })),
})

export const convertSchema = z.strictObject({
  ok: z.boolean(),
  family: z.enum(['zh', 'google', 'google_fast', 'bert', 'hf']),
  task: z.enum(['features', 'pretraining', 'mlm', 'sop', 'classify', 'token-classification', 'multiple-choice', 'qa']),
  output: z.string(),
  dryRun: z.boolean(),
  artefacts: z.array(
    z.strictObject({
      target: z.enum(['tfjs', 'onnx', 'safetensors', 'tf']),
      dtype: dtype.optional(),
      files: z.array(z.string()),
      weightBytes: z.int().nullable(),
      outputs: z.array(z.string()),
    }),
  ),
  parameters: z.int(),
  growth: z
    .strictObject({
      form: z.enum(['bert', 'albert']),
      parameters: z.tuple([z.int(), z.int()]),
      bytes: z.tuple([z.int(), z.int()]),
      ratio: z.number(),
    })
    .nullable()
    .describe('with --as: how much larger the result is'),
  verification: verifySchema.nullable(),
  gate: z.array(
    z.strictObject({
      artefact: z.string(),
      runner: z.string(),
      inputs: z
        .enum(['file', 'text', 'vocabulary'])
        .describe('lines that were given, built-in sentences, or drawn tokens'),
      rows: z.int(),
      outputs: z.array(
        z.strictObject({
          output: z.string(),
          agreement: z.number().nullable().describe('part of equal answers; null where an output is none'),
          maxAbs: nullableNumber,
          cosine: z.number(),
        }),
      ),
      agreement: z.number(),
      threshold: z.number(),
      accuracy: z
        .strictObject({ lines: z.int(), skipped: z.int(), before: z.number(), after: z.number() })
        .nullable()
        .describe('of labelled lines, with float32 and with the rounded weights'),
      spared: z.array(z.strictObject({ slot: z.string(), as: z.enum(['f32', 'weights']), error: z.number() })),
      ok: z.boolean(),
    }),
  ),
  notes: z.array(z.string()),
})

const variant = z.enum(['without', 'with', 'wideWithout', 'wideWith'])
const bytes = z.int().min(0)

export const paramsSchema = z.strictObject({
  ok: z.boolean().describe('false where a file and its configuration disagree; exit code 1'),
  workload: z.strictObject({ batch: z.int(), sequence: z.int(), elementBytes: z.int() }),
  columns: z.array(
    z.strictObject({
      name: z.string(),
      origin: z.enum(['file', 'preset', 'config', 'what-if']),
      config,
      sharing: z.string(),
      heads: z.array(z.string()),
      embedding: z.strictObject({
        V: z.int(),
        E: z.int(),
        H: z.int(),
        unfactorised: z.int(),
        factorised: z.int(),
        ratio: z.number(),
        symbols: z.strictObject({ unfactorised: z.string(), factorised: z.string() }),
      }),
      formula: z.string().describe('all stored parameters in letters'),
      lines: z.array(
        z.strictObject({
          key: z.string(),
          part: z.enum(['embeddings', 'attention', 'ffn', 'norms', 'pooler', 'heads']),
          formula: z.string().describe('size of one copy'),
          copies: z.int(),
          stored: z.int(),
          used: z.int(),
        }),
      ),
      parts,
      stored: z.int(),
      used: z.int(),
      bytes: z.strictObject({ F32: bytes, F16: bytes, BF16: bytes, I8: bytes }),
      fileBytes: bytes.nullable(),
      footprint: z.strictObject({
        flops: z.strictObject({
          embeddings: z.number(),
          projections: z.number(),
          scores: z.number(),
          ffn: z.number(),
          pooler: z.number(),
          heads: z.number(),
          total: z.number(),
        }),
        memory: z.strictObject({ weights: bytes, inference: bytes, training: bytes, trainingState: bytes }),
        intensity: z.strictObject({ reread: z.number(), cached: z.number() }),
      }),
      agreement: z.strictObject({ slots: z.int(), differences: z.array(z.string()) }).nullable(),
      notes: z.array(z.string()),
    }),
  ),
})

export const paperSchema = z.strictObject({
  example: z.strictObject({
    V: z.int(),
    E: z.int(),
    H: z.int(),
    unfactorised: z.int(),
    factorised: z.int(),
    ratio: z.number(),
  }),
  tables: z.array(
    z.strictObject({
      id: z.enum(['sizes', 'embedding-size', 'sharing', 'depth', 'width']),
      title: z.string(),
      rows: z.array(
        z.strictObject({
          label: z.string(),
          printed: z.array(z.int()).describe('millions'),
          computed: z.record(variant, z.int()),
          follows: z.array(z.array(variant)).describe('for each printed number'),
          difference: z.int(),
          explanation: z.string(),
        }),
      ),
    }),
  ),
  variants: z.record(variant, z.string()),
  findings: z.array(z.string()),
})

export const initSchema = z.strictObject({
  ok: z.boolean(),
  preset: z.string().describe('name of the preset, or the configuration file'),
  family: z.enum(['zh', 'google', 'google_fast', 'bert', 'hf']),
  target: z.enum(['tf', 'safetensors']),
  task: z.enum(['features', 'pretraining', 'mlm', 'sop', 'classify', 'token-classification', 'multiple-choice', 'qa']),
  seed: z.int(),
  output: z.string(),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.int() })),
  tensors: z.int(),
  parameters: z.int(),
  weightBytes: z.int(),
  verified: z.int().nullable().describe('tensors that were read back as they were meant'),
  notes: z.array(z.string()),
})

const diffModel = z.strictObject({
  path: z.string(),
  family: z.enum(['zh', 'google', 'google_fast', 'bert', 'hf']),
  format: z.string(),
  title: z.string(),
})
const diffSide = z.strictObject({ variables: z.array(z.string()), dtype: z.string(), shape }).nullable()

export const diffSchema = z.strictObject({
  ok: z.boolean(),
  a: diffModel,
  b: diffModel,
  atol: z.number(),
  config: z.array(
    z.strictObject({ field: z.string(), a: z.union([z.string(), z.number()]), b: z.union([z.string(), z.number()]) }),
  ),
  slots: z.array(
    z.strictObject({
      slot: z.string(),
      layers: z.array(z.int()).describe('inner layers that use it, counted through'),
      status: z.enum(['equal', 'within', 'differs', 'shape', 'only-a', 'only-b']),
      a: diffSide,
      b: diffSide,
      elements: z.int(),
      different: z.int().nullable(),
      maxAbs: nullableNumber,
      where: shape,
      harmless: z.string().optional(),
    }),
  ),
  counts: z.strictObject({
    equal: z.int(),
    within: z.int(),
    differs: z.int(),
    shape: z.int(),
    onlyA: z.int(),
    onlyB: z.int(),
  }),
  notes: z.array(z.string()),
})

export const benchSchema = z.strictObject({
  ok: z.literal(true),
  directory: z.string(),
  node: z.string(),
  rows: z.array(
    z.strictObject({
      file: z.string(),
      runner: z.string(),
      threads: z.int(),
      batch: z.int(),
      length: z.int().describe('tokens a row'),
      p50: z.number().describe('milliseconds of a run'),
      p90: z.number(),
      rowsPerSecond: z.number(),
      tokensPerSecond: z.number(),
      load: z.number().describe('milliseconds'),
      memory: z.nullable(z.number()).describe('MiB that the process grew by; null where a browser runs the model'),
    }),
  ),
  notRun: z.array(z.strictObject({ runner: z.string(), reason: z.string() })),
})

const modelLayers = z.strictObject({
  model: z.string(),
  family: config.shape.family,
  architecture: config.shape.architecture,
  inputs: z.strictObject({
    kind: z.enum(['golden', 'text', 'sentences', 'drawn']),
    rows: z.int(),
    tokens: z.int().describe('tokens that the means are over: padding is left out'),
  }),
  layers: z.array(
    z.strictObject({
      layer: z.int().min(0).describe('counts from 0; inner layers of TensorFlow families are layers of their own'),
      l2: z
        .number()
        .describe('mean L2 distance of a token’s input and output; the input of layer 0 is after the projection'),
      cosine: z.number().describe('mean cosine of the angle between input and output'),
    }),
  ),
  heads: z.array(
    z.strictObject({
      layer: z.int().min(0),
      inner: z.int().min(0).describe('hf: which inner layer of the layer; else 0'),
      head: z.int().min(0),
      entropy: z.number().min(0).describe('mean entropy of a token’s attention, in nats'),
      normalised: nullableNumber.describe(
        'as a part of the largest that the row allows; null where no row has two tokens',
      ),
      norm: z
        .number()
        .min(0)
        .describe('mean L2 norm of what the head adds: its context times its rows of the output kernel'),
    }),
  ),
  notes: z.array(z.string()),
})

export const layersSchema = z.union([modelLayers, z.strictObject({ models: z.array(modelLayers) })])

const rank = z.strictObject({
  shape: z.tuple([z.int(), z.int()]),
  possible: z.int(),
  numerical: z.int().describe('singular values above max(rows, columns) · 2⁻²³ of the largest'),
  stable: z.number().describe('‖A‖²_F / ‖A‖²₂'),
  effective: z.number().describe('exp of the entropy of the singular values'),
  singular: z.array(z.number()).describe('the largest first'),
})

const named = z.strictObject({ slot: z.string(), variable: z.string() })

export const weightsSchema = z.strictObject({
  ok: z.boolean().describe('false where a value is NaN or infinite, or variables are missing; exit code 1'),
  model: z.string(),
  family: config.shape.family,
  architecture: config.shape.architecture,
  initializerRange: z.number(),
  tensors: z.array(
    z.strictObject({
      variable: z.string(),
      slot: z.string(),
      dtype: z.string(),
      shape: shape.describe('as stored'),
      count: z.int(),
      mean: nullableNumber.describe('of the finite values, as std, min and max; null where none is'),
      std: nullableNumber,
      min: nullableNumber,
      max: nullableNumber,
      zeros: z.int(),
      nan: z.int(),
      inf: z.int(),
      state: z.enum(['ok', 'broken', 'zero', 'constant', 'initial']),
    }),
  ),
  body: z.enum(['trained', 'untrained']),
  heads: z.array(z.strictObject({ head: z.string(), state: z.enum(['trained', 'untrained', 'constant']) })),
  classes: z.array(
    z.strictObject({
      index: z.int(),
      norm: z.number(),
      bias: z.number(),
      beatenBy: z.int().nullable().describe('the class that is above it whatever the input'),
      label: z.string().nullable(),
    }),
  ),
  ranks: z.strictObject({ word: rank, product: rank.nullable() }).nullable(),
  duplicates: z.array(
    z.strictObject({
      part: z.enum(['attention', 'ffn']),
      layers: z.tuple([z.int(), z.int()]),
      distance: z.number().describe('‖a − b‖ / √(‖a‖·‖b‖)'),
    }),
  ),
  missing: z.array(named),
  against: z
    .strictObject({
      config: z.string(),
      variables: z.int(),
      notProvided: z.array(
        z.strictObject({
          slot: z.string(),
          variable: z.string(),
          shape,
          found: shape.nullable().describe('the shape in the checkpoint; null where it is absent'),
        }),
      ),
      unknown: z.array(z.string()),
    })
    .nullable(),
  before: z
    .strictObject({
      checkpoint: z.string(),
      compared: z.int(),
      unchanged: z.array(named),
      added: z.array(z.string()),
    })
    .nullable(),
  notes: z.array(z.string()),
  verdicts: z.array(z.strictObject({ level: z.enum(['bad', 'warning', 'good']), text: z.string() })),
})

/** Schemas by the name of their file in docs/schemas. */
export const SCHEMAS = {
  inspect: inspectSchema,
  convert: convertSchema,
  bench: benchSchema,
  init: initSchema,
  diff: diffSchema,
  verify: verifySchema,
  doctor: doctorSchema,
  params: paramsSchema,
  layers: layersSchema,
  weights: weightsSchema,
  paper: paperSchema,
  error: errorSchema,
  ...TEXT_SCHEMAS,
}
