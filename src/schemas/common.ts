import * as z from '../vendor/zod.js'

/** Parts that several documents of `--json` have. */

export const nullableNumber = z.nullable(z.number())

export const shape = z.array(z.int().check(z.gte(0)))

export const size = z.int().check(z.gte(0))

export const probability = z.number().check(z.gte(0), z.lte(1))

/** Remarks on the model, e.g. on variables of the file that it does not use. */
export const notes = z
  .array(z.string())
  .check(z.describe('remarks on the model, e.g. on parts of the file or folder that it does not use'))

export const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/))

export const config = z.strictObject({
  family: z.oneOf(['zh', 'google', 'google_fast', 'bert', 'hf']),
  architecture: z.oneOf(['albert', 'bert']),
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
  hidden_act: z.oneOf(['gelu_tanh', 'gelu_erf', 'relu', 'swish', 'tanh', 'linear']),
  norm_position: z.oneOf(['post', 'pre']),
  mask_penalty: z.number(),
  id2label: z.nullable(z.record(z.string(), z.string())),
  mlm_head: z.optional(
    z.strictObject({
      hidden_act: z.oneOf(['gelu_tanh', 'gelu_erf', 'relu', 'swish', 'tanh', 'linear']),
      layer_norm_eps: z.number(),
    }),
  ),
  classifier_kind: z.optional(z.oneOf(['sequence', 'token', 'choice'])),
  problem_type: z.optional(z.oneOf(['single_label_classification', 'multi_label_classification', 'regression'])),
  file: z.string(),
})

export const parts = z.strictObject({
  embeddings: z.int(),
  attention: z.int(),
  ffn: z.int(),
  norms: z.int(),
  pooler: z.int(),
  heads: z.int(),
})

export const dtype = z
  .oneOf(['f16', 'bf16', 'int8', 'int4', 'uint16', 'uint8'])
  .check(z.describe('element type of the weights; absent for float32'))

export const adapter = z.strictObject({
  vendor: z.string(),
  device: z.string(),
  driver: z.string(),
  software: z.boolean(),
})

export const named = z.strictObject({ slot: z.string(), variable: z.string() })
