import { malformed } from '../base/errors.js'
import { DTYPE_BYTES, readAll, type DType, type TensorSource } from '../formats/core/source.js'
import type { AlbertModel } from '../model/albert.js'
import { decodeFloats } from '../model/tensors/decode.js'
import type { ModelInputs } from '../model/reference/run.js'
import type { Values } from './compare.js'

/** A golden: inputs, and outputs that TensorFlow or PyTorch computed from them, in either naming. */
export interface Golden {
  readonly file: string
  readonly inputs: ModelInputs
  /** Positions `[B, P]` of `mlm_logits [B, P, V]` in TensorFlow goldens; null if absent. */
  readonly mlmPositions: Values | null
  /** Float outputs by the golden's own names. */
  readonly outputs: ReadonlyMap<string, Values>
  /** Largest relative rounding error of each output's element type, by output name. */
  readonly rounding: ReadonlyMap<string, number>
}

/** Names of the three inputs: transformers', TensorFlow's, those of keras-hub and tf-models. */
const INPUT_NAMES = {
  input_ids: ['input_ids', 'token_ids', 'input_word_ids'],
  attention_mask: ['attention_mask', 'input_mask', 'padding_mask'],
  token_type_ids: ['token_type_ids', 'segment_ids', 'input_type_ids'],
} as const

/** Tensors that are not outputs, even if their dtype is float. */
const NO_OUTPUTS = new Set<string>([...Object.values(INPUT_NAMES).flat(), 'mlm_positions'])

/** albertkit's name of a golden's output, if it differs. */
const OUTPUT_NAMES: Readonly<Record<string, string>> = {
  sequence_output: 'last_hidden_state',
  pooled_output: 'pooler_output',
  mlm_logits: 'prediction_logits',
  next_sentence: 'sop_logits',
  classifier_logits: 'logits',
  classifier_probabilities: 'probabilities',
}

/** Name of a golden's output in albertkit's forward pass. */
export function ourName(golden: string, model: AlbertModel): string {
  const tf = /^all_encoder_layers_(\d+)$/.exec(golden)
  if (tf !== null) return `hidden_state_${String(tf[1])}`
  const hf = /^hidden_states_(\d+)$/.exec(golden)
  if (hf !== null) {
    // transformers counts the input of the first layer as hidden_states[0].
    const index = Number(hf[1])
    if (index > 0) return `hidden_state_${index - 1}`
    return model.embeddings.mapping === null ? 'embedding_output' : 'embedding_hidden_mapping_in'
  }
  return OUTPUT_NAMES[golden] ?? golden
}

/** Relative rounding error (half an ULP) of the float dtypes that outputs may have. */
const ROUNDING: Partial<Record<DType, number>> = { F64: 0, F32: 0, F16: 2 ** -11, BF16: 2 ** -8 }

/** Typed arrays of the integer dtypes that inputs may have; BOOL for masks. */
const INTEGERS = {
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const

/** Reads a numeric tensor; null if there is no such name. */
export function readValues(source: TensorSource, name: string): Values | null {
  const info = source.tensors.get(name)
  if (info === undefined) return null
  const { dtype, shape } = info
  const buffer = readAll(source, name).buffer as ArrayBuffer
  const count = buffer.byteLength / DTYPE_BYTES[dtype]
  if (dtype in INTEGERS) {
    const values = new INTEGERS[dtype as keyof typeof INTEGERS](buffer)
    return { shape, data: Float64Array.from(values as Iterable<number | bigint>, Number) }
  }
  if (dtype === 'F64') return { shape, data: new Float64Array(buffer) }
  const data = new Float32Array(count)
  decodeFloats(dtype, new Uint8Array(buffer), data)
  return { shape, data }
}

/** Finds an input by one of its names, in the shape of the ids; null if the golden lacks it. */
function findInput(source: TensorSource, file: string, names: readonly string[], like?: Values): Values | null {
  const name = names.find((n) => source.tensors.has(n))
  const values = name === undefined ? null : readValues(source, name)
  if (name === undefined || values === null) return null
  const rank = values.shape.length
  if (rank < 2 || rank > 3 || (like !== undefined && values.shape.join() !== like.shape.join())) {
    const wanted = like?.shape.join(', ') ?? 'batch, sequence] or [batch, choices, sequence'
    throw malformed(`input ${name} has shape [${values.shape.join(', ')}], not [${wanted}]`, {
      code: 'golden-invalid',
      file,
      tensor: name,
    })
  }
  return values
}

/** Finds an input; if absent, it is all `otherwise`, the default of transformers and TensorFlow. */
const inputOr = (
  source: TensorSource,
  file: string,
  names: readonly string[],
  like: Values,
  otherwise: 0 | 1,
): Values =>
  findInput(source, file, names, like) ?? { shape: like.shape, data: new Int32Array(like.data.length).fill(otherwise) }

/** Converts floats or 64-bit integers of a golden to int32; refuses those that are not, so that none wraps around. */
export function integersOf({ data }: Values, tensor: string, file: string): Int32Array {
  const integers = Int32Array.from(data)
  const at = integers.findIndex((value, i) => value !== data[i])
  if (at >= 0)
    throw malformed(`${tensor} holds ${String(data[at])}, which is not a 32-bit integer`, {
      code: 'golden-invalid',
      file,
      tensor,
    })
  return integers
}

/** Reads `mlm_positions [batch, positions]` of a TensorFlow golden; null if absent. */
function readPositions(source: TensorSource, { batch, sequence }: ModelInputs, file: string): Values | null {
  const tensor = 'mlm_positions'
  const values = readValues(source, tensor)
  if (values === null) return null
  if (values.shape.length !== 2 || values.shape[0] !== batch)
    throw malformed(`${tensor} has shape [${values.shape.join(', ')}], not [${batch}, positions]`, {
      code: 'golden-invalid',
      file,
      tensor,
    })
  const at = integersOf(values, tensor, file).findIndex((p) => p < 0 || p >= sequence)
  if (at >= 0)
    throw malformed(`${tensor} holds ${String(values.data[at])}, but the inputs are ${sequence} tokens long`, {
      code: 'golden-invalid',
      file,
      tensor,
    })
  return values
}

/** Refuses ids outside the embedding tables, before any runtime sees them. @throws AlbertkitError `malformed` */
export function checkInputs(model: AlbertModel, inputs: ModelInputs, file: string): void {
  const { vocab_size, type_vocab_size, max_position_embeddings } = model.config
  const check = (tensor: string, values: Int32Array, limit: number): void => {
    const at = values.findIndex((v) => v < 0 || v >= limit)
    if (at >= 0)
      throw malformed(`${tensor} holds ${String(values[at])}, but the model has ids from 0 to ${limit - 1}`, {
        code: 'golden-invalid',
        file,
        tensor,
      })
  }
  check('input_ids', inputs.input_ids, vocab_size)
  check('token_type_ids', inputs.token_type_ids, type_vocab_size)
  if (inputs.sequence > max_position_embeddings) {
    throw malformed(
      `the inputs are ${inputs.sequence} tokens long, but the model has ${max_position_embeddings} positions`,
      { code: 'golden-invalid', file },
    )
  }
}

/**
 * Reads a golden. An absent mask is all ones, absent token types are all zero, as in the original code.
 * @throws AlbertkitError `malformed` if there are no ids, or if an input's shape or values do not fit the model
 */
export function readGolden(source: TensorSource, model: AlbertModel): Golden {
  const file = source.files[0] ?? ''
  const ids = findInput(source, file, INPUT_NAMES.input_ids)
  if (ids === null) {
    throw malformed('the golden has no input input_ids', {
      code: 'golden-invalid',
      file,
      hint: 'a golden holds input_ids, attention_mask (input_mask), token_type_ids (segment_ids) and outputs',
    })
  }
  const mask = inputOr(source, file, INPUT_NAMES.attention_mask, ids, 1)
  const types = inputOr(source, file, INPUT_NAMES.token_type_ids, ids, 0)
  const sequence = ids.shape[ids.shape.length - 1] ?? 0
  const choices = ids.shape.length === 3 ? { choices: ids.shape[1] ?? 1 } : {}
  const inputs: ModelInputs = {
    batch: ids.shape.slice(0, -1).reduce((a, b) => a * b, 1),
    ...choices,
    sequence,
    input_ids: integersOf(ids, 'input_ids', file),
    attention_mask: integersOf(mask, 'attention_mask', file),
    token_type_ids: integersOf(types, 'token_type_ids', file),
  }
  checkInputs(model, inputs, file)
  const outputs = new Map<string, Values>()
  const rounding = new Map<string, number>()
  for (const { name, dtype } of source.tensors.values()) {
    const values = NO_OUTPUTS.has(name) || !(dtype in ROUNDING) ? null : readValues(source, name)
    if (values === null) continue
    outputs.set(name, values)
    rounding.set(name, ROUNDING[dtype] ?? 0)
  }
  return { file, inputs, mlmPositions: readPositions(source, inputs, file), outputs, rounding }
}

/** Gathers `[B, S, V]` at `positions [B, P]` into `[B, P, V]`, like `gather_indexes` in run_pretraining.py. */
export function gatherPositions(values: Values, positions: Values): Values {
  const [batch = 0, sequence = 0, width = 0] = values.shape
  const count = positions.shape[1] ?? 0
  const data = new Float64Array(batch * count * width)
  for (let b = 0; b < batch; b++) {
    for (let p = 0; p < count; p++) {
      const from = (b * sequence + Number(positions.data[b * count + p])) * width
      for (let i = 0; i < width; i++) data[(b * count + p) * width + i] = values.data[from + i]!
    }
  }
  return { shape: [batch, count, width], data }
}

/** Softmax over the last axis: computes `classifier_probabilities` from `logits`. */
export function softmaxRows(values: Values): Values {
  const width = values.shape[values.shape.length - 1] ?? 1
  const data = Float64Array.from(values.data)
  for (let start = 0; start < data.length; start += width) {
    const row = data.subarray(start, start + width)
    const max = row.reduce((a, b) => Math.max(a, b), -Infinity)
    const sum = row.reduce((total, x) => total + Math.exp(x - max), 0)
    row.forEach((x, i) => (row[i] = Math.exp(x - max) / sum))
  }
  return { shape: values.shape, data }
}

/** True if `logits` are those of a masked-token model, which transformers names so too; they have rank 3. */
const isTokenLogits = (golden: Golden, name: string, model: AlbertModel): boolean =>
  name === 'logits' && golden.outputs.get(name)?.shape.length === 3 && model.mlm !== null && model.classifier === null

/** Value of a run that a golden's output is compared with; null if the run lacks it. */
export function counterpart(
  golden: Golden,
  name: string,
  model: AlbertModel,
  run: ReadonlyMap<string, Values>,
): Values | null {
  const ours = isTokenLogits(golden, name, model) ? 'prediction_logits' : ourName(name, model)
  const logits = run.get('logits')
  if (ours === 'probabilities') return logits === undefined ? null : softmaxRows(logits)
  const values = run.get(ours)
  if (values === undefined) return null
  const atPositions = name === 'mlm_logits' && golden.mlmPositions !== null
  return atPositions ? gatherPositions(values, golden.mlmPositions) : values
}
