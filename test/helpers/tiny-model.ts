import {
  DTYPE_BYTES,
  elementCount,
  type DType,
  type TensorInfo,
  type TensorSource,
} from '../../src/formats/core/source.js'
import type { AlbertModel, Block, Dense, LayerNorm, OutputHead, Parameter } from '../../src/model/albert.js'
import { FFN_GROUPS, type Activation, type Family, type ModelConfig } from '../../src/model/config.js'
import type { ClassifierKind } from '../../src/model/tasks.js'
import { transpose } from '../../src/model/tensors/transpose.js'

/** A small repeatable generator (mulberry32): numbers in [0, 1). */
export function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A source in memory that counts how often it is read. */
export class MemorySource implements TensorSource {
  readonly format = 'memory'
  readonly files: string[] = []
  readonly notes: string[] = []
  readonly tensors = new Map<string, TensorInfo>()
  readonly #bytes = new Map<string, Uint8Array>()
  reads = 0
  largestRead = 0

  set(name: string, dtype: DType, shape: readonly number[], bytes: Uint8Array): void {
    if (bytes.length !== elementCount(shape) * DTYPE_BYTES[dtype]) throw new RangeError(name)
    this.tensors.set(name, { name, dtype, shape, byteLength: bytes.length, file: 'memory' })
    this.#bytes.set(name, bytes)
  }

  read(name: string, offset: number, target: Uint8Array): void {
    const bytes = this.#bytes.get(name)
    if (bytes === undefined || offset + target.length > bytes.length)
      throw new RangeError(`${name}: ${offset} + ${target.length}`)
    this.reads++
    this.largestRead = Math.max(this.largestRead, target.length)
    target.set(bytes.subarray(offset, offset + target.length))
  }

  verifyChecksum(): void {
    // memory has none
  }

  close(): void {
    // nothing is open
  }
}

export interface TinyOptions {
  readonly family?: Family
  readonly activation?: Activation
  readonly norm?: 'post' | 'pre'
  readonly layout?: Parameter['layout']
  readonly dtype?: 'F32' | 'F16' | 'BF16'
  readonly shared?: boolean
  readonly layers?: number
  readonly inner?: number
  readonly hidden?: number
  readonly vocabulary?: number
  readonly heads?: readonly ('pooler' | 'mlm' | 'sop' | 'classifier' | 'qa')[]
  /** Default `sequence`. */
  readonly kind?: ClassifierKind
  /** The masked-token head has a decoder of its own. */
  readonly untied?: boolean
  /** Sentence order and classifier have poolers of their own. */
  readonly poolers?: boolean
}

/** A random small model of any family and its source. Kernels may be stored transposed, as in a Hugging Face file. */
export function tinyModel(options: TinyOptions = {}): { model: AlbertModel; source: MemorySource } {
  const { family = 'google', activation = 'gelu_tanh', norm = 'post', layout = 'as_is', dtype = 'F32' } = options
  const { shared = true, layers = 3, inner = 1, hidden: H = 24, vocabulary: V = 37, kind = 'sequence' } = options
  const heads = new Set(options.heads ?? ['pooler', 'mlm', 'sop', 'classifier'])
  const E = family === 'bert' ? H : 10
  const grouped = family === 'google_fast'
  const [I, P, T] = [grouped ? H * 2 : H * 2 + 3, 20, 2]
  const wide = family === 'zh' ? H : E
  const next = random(H * 31 + layers)
  const source = new MemorySource()
  const made = new Map<string, Parameter>()

  const parameter = (slot: string, shape: readonly number[], matrix = false, centre = 0): Parameter => {
    const known = made.get(slot)
    if (known !== undefined) return known
    const values = Float32Array.from({ length: elementCount(shape) }, () => centre + (next() - 0.5) * 0.6)
    const turned: Parameter['layout'] = shape.length === 3 ? 'grouped' : matrix ? layout : 'as_is'
    const stored = turned === 'as_is' ? values : new Float32Array(values.length)
    const [rows = 1, ...rest] = shape
    if (turned !== 'as_is') transpose(values, rows, values.length / rows, stored)
    const storedShape = turned === 'as_is' ? shape : [...rest, rows]
    const variable = `source/${slot}`
    source.set(variable, dtype, storedShape, encode(dtype, stored))
    const p: Parameter = { slot, variable, shape, storedShape, layout: turned, dtype }
    made.set(slot, p)
    return p
  }
  const dense = (slot: string, from: number, to: number): Dense => ({
    kernel: parameter(`${slot}/kernel`, [from, to], true),
    bias: parameter(`${slot}/bias`, [to]),
  })
  const feedForward = (slot: string, from: number, to: number): Dense =>
    grouped
      ? {
          kernel: parameter(`${slot}/kernel`, [FFN_GROUPS, from / FFN_GROUPS, to / FFN_GROUPS]),
          bias: parameter(`${slot}/bias`, [to]),
        }
      : dense(slot, from, to)
  const layerNorm = (slot: string, width: number): LayerNorm => ({
    gamma: parameter(`${slot}/gamma`, [width], false, 1),
    beta: parameter(`${slot}/beta`, [width]),
  })
  const head = (slot: string, n: number): OutputHead => ({
    weight: parameter(`${slot}/output_weights`, [n, H]),
    bias: parameter(`${slot}/output_bias`, [n]),
  })
  const block = (scope: string): Block => ({
    query: dense(`${scope}/attention/query`, H, H),
    key: dense(`${scope}/attention/key`, H, H),
    value: dense(`${scope}/attention/value`, H, H),
    attentionOutput: dense(`${scope}/attention/output`, H, H),
    attentionNorm: layerNorm(`${scope}/attention/LayerNorm`, H),
    intermediate: feedForward(`${scope}/ffn/intermediate`, H, I),
    output: feedForward(`${scope}/ffn/output`, I, H),
    outputNorm: layerNorm(`${scope}/ffn/LayerNorm`, H),
  })
  const config: ModelConfig = {
    family,
    architecture: family === 'bert' ? 'bert' : 'albert',
    vocab_size: V,
    embedding_size: E,
    hidden_size: H,
    num_hidden_layers: layers,
    num_attention_heads: 4,
    intermediate_size: I,
    max_position_embeddings: P,
    type_vocab_size: T,
    num_hidden_groups: 1,
    inner_group_num: inner,
    layer_norm_eps: 1e-12,
    hidden_act: activation,
    norm_position: norm,
    mask_penalty: family === 'hf' ? -3.4028234663852886e38 : -10000,
    id2label: null,
    file: 'config.json',
  }
  const ownPooler = (slot: string): Dense | null =>
    options.poolers === true ? dense(`${slot}/pooler/dense`, H, H) : null
  const mlmWidth = family === 'zh' ? H : E
  const model: AlbertModel = {
    config,
    embeddings: {
      word: parameter('embeddings/word_embeddings', [V, E]),
      factor: family === 'zh' ? parameter('embeddings/word_embeddings_2', [E, H]) : null,
      position: parameter('embeddings/position_embeddings', [P, wide]),
      tokenType: parameter('embeddings/token_type_embeddings', [T, wide]),
      norm: layerNorm('embeddings/LayerNorm', wide),
      mapping: family !== 'zh' && family !== 'bert' ? dense('encoder/embedding_hidden_mapping_in', E, H) : null,
    },
    layers: Array.from({ length: layers }, (_, l) =>
      Array.from({ length: inner }, (_unused, j) =>
        block(`encoder/${shared ? 'shared' : `layer_${l}`}${inner > 1 ? `_${j}` : ''}`),
      ),
    ),
    pooler: heads.has('pooler') ? dense('pooler/dense', H, H) : null,
    mlm: heads.has('mlm')
      ? {
          transform: dense('mlm/transform/dense', H, mlmWidth),
          norm: layerNorm('mlm/transform/LayerNorm', mlmWidth),
          bias: parameter('mlm/output_bias', [V]),
          decoder: options.untied === true ? parameter('mlm/decoder', [V, mlmWidth]) : null,
        }
      : null,
    sop: heads.has('sop') ? { ...head('sop', 2), pooler: ownPooler('sop') } : null,
    classifier: heads.has('classifier')
      ? {
          kind,
          ...head('classifier', kind === 'choice' ? 1 : 3),
          norm: norm === 'pre' ? layerNorm('classifier/LayerNorm', H) : null,
          pooler: ownPooler('classifier'),
        }
      : null,
    qa: heads.has('qa') ? head('qa', 2) : null,
  }
  return { model, source }
}

/** Encodes by truncation, without rounding: tests compare with the stored values. */
function encode(dtype: 'F32' | 'F16' | 'BF16', values: Float32Array): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer)
  const bits = new Uint32Array(values.buffer)
  if (dtype === 'BF16') return new Uint8Array(Uint16Array.from(bits, (b) => b >>> 16).buffer)
  const half = (b: number): number => {
    const exponent = ((b >>> 23) & 255) - 112
    return exponent <= 0 ? 0 : ((b >>> 16) & 0x8000) | (exponent << 10) | ((b >>> 13) & 1023)
  }
  return new Uint8Array(Uint16Array.from(bits, half).buffer)
}
