import type { Tensor } from '@tensorflow/tfjs-core'
import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, LayerNorm, Parameter } from '../../model/albert.js'
import type { Activation } from '../../model/config.js'
import { forward, takesChoices } from '../../model/forward.js'
import type { HeadSelection } from '../../model/tasks.js'
import type { Ops } from '../../model/ops.js'
import { hiddenStateCount, outputNames, selectOutputs } from '../../model/outputs.js'
import { innerNames } from '../../model/reference/inner-names.js'
import { inputShape, type ModelInputs } from '../../model/reference/run.js'
import { ScopePath } from '../../model/reference/scope-path.js'
import { readLogical } from '../../model/tensors/read.js'
import type { NamedTensor, Runner } from '../runner.js'
import type { Adapter } from '../gpu/adapter.js'
import type { TfjsCore, TfjsEngine } from './tfjs-backend.js'

/** `Ops` on eager TensorFlow.js tensors of the active backend; all are differentiable. */
export class TfjsOps implements Ops<Tensor> {
  readonly #weights = new Map<Parameter, Tensor>()
  readonly #names = new ScopePath()
  readonly #kept = new Map<string, Tensor>()
  #wanted: ReadonlySet<string> = new Set()

  constructor(
    readonly tf: TfjsCore,
    readonly source: TensorSource,
  ) {}

  /** Tensor of a parameter, created once and kept until `dispose`. */
  #weight(p: Parameter): Tensor {
    const known = this.#weights.get(p)
    if (known !== undefined) return known
    const made = this.tf.keep(this.tf.tensor(readLogical(this.source, p), [...p.shape], 'float32'))
    this.#weights.set(p, made)
    return made
  }

  dispose(): void {
    for (const tensor of this.#weights.values()) tensor.dispose()
    this.#weights.clear()
  }

  scope(name: string, body: () => Tensor): Tensor {
    return this.#names.scope(name, () => this.tf.tidy(body))
  }

  gather(table: Parameter, ids: Tensor): Tensor {
    return this.tf.gather(this.#weight(table), ids)
  }

  positions(table: Parameter, ids: Tensor): Tensor {
    const weight = this.#weight(table)
    return this.tf.slice(weight, [0, 0], [ids.shape[1] ?? 0, weight.shape[1] ?? 0])
  }

  /** Multiplies as `[B·S, in]`, since the two-dimensional kernels are the fastest. */
  #product(x: Tensor, weight: Tensor, bias: Parameter | null, transposed: boolean): Tensor {
    const inner = x.shape[x.shape.length - 1] ?? 1
    const y = this.tf.matMul(this.tf.reshape(x, [-1, inner]), weight, false, transposed)
    const outer = y.shape[1] ?? 1
    const shaped = this.tf.reshape(y, [...x.shape.slice(0, -1), outer])
    return bias === null ? shaped : this.tf.add(shaped, this.#weight(bias))
  }

  linear(x: Tensor, kernel: Parameter, bias: Parameter | null): Tensor {
    return this.#product(x, this.#weight(kernel), bias, false)
  }

  groupedLinear(x: Tensor, kernel: Parameter, bias: Parameter | null): Tensor {
    const { tf } = this
    const [groups = 1, inner = 1, outer = 1] = kernel.shape
    const split = tf.transpose(tf.reshape(x, [-1, inner, groups]), [2, 0, 1])
    const products = tf.transpose(tf.matMul(split, this.#weight(kernel)), [1, 0, 2])
    const y = tf.reshape(products, [...x.shape.slice(0, -1), groups * outer])
    return bias === null ? y : tf.add(y, this.#weight(bias))
  }

  linearTransposed(x: Tensor, weight: Parameter, bias: Parameter | null): Tensor {
    return this.#product(x, this.#weight(weight), bias, true)
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.tf.add(a, b)
  }

  layerNorm(x: Tensor, norm: LayerNorm, epsilon: number): Tensor {
    const { tf } = this
    const mean = tf.mean(x, -1, true)
    const centred = tf.sub(x, mean)
    const variance = tf.mean(tf.square(centred), -1, true)
    const scaled = tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)))
    return tf.add(tf.mul(scaled, this.#weight(norm.gamma)), this.#weight(norm.beta))
  }

  activation(x: Tensor, kind: Activation): Tensor {
    const { tf } = this
    switch (kind) {
      case 'gelu_tanh': {
        const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))))
        return tf.mul(tf.mul(0.5, x), tf.add(1, tf.tanh(inner)))
      }
      case 'gelu_erf':
        return tf.mul(tf.mul(0.5, x), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))))
      case 'relu':
        return tf.relu(x)
      case 'swish':
        return tf.mul(x, tf.sigmoid(x))
      case 'tanh':
        return tf.tanh(x)
      case 'linear':
        return x
    }
  }

  attentionBias(mask: Tensor, penalty: number): Tensor {
    const [batch = 1, length = 1] = mask.shape
    const { tf } = this
    return tf.reshape(tf.mul(tf.sub(1, tf.cast(mask, 'float32')), penalty), [batch, 1, 1, length])
  }

  splitHeads(x: Tensor, heads: number): Tensor {
    const [batch = 1, length = 1, hidden = 1] = x.shape
    return this.tf.transpose(this.tf.reshape(x, [batch, length, heads, hidden / heads]), [0, 2, 1, 3])
  }

  mergeHeads(x: Tensor): Tensor {
    const [batch = 1, heads = 1, length = 1, size = 1] = x.shape
    return this.tf.reshape(this.tf.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size])
  }

  scores(query: Tensor, key: Tensor, headSize: number): Tensor {
    return this.tf.mul(this.tf.matMul(query, key, false, true), 1 / Math.sqrt(headSize))
  }

  softmax(x: Tensor): Tensor {
    return this.tf.softmax(x)
  }

  context(probabilities: Tensor, value: Tensor): Tensor {
    return this.tf.matMul(probabilities, value)
  }

  firstToken(x: Tensor): Tensor {
    const [batch = 1, , hidden = 1] = x.shape
    return this.tf.reshape(this.tf.slice(x, [0, 0, 0], [batch, 1, hidden]), [batch, hidden])
  }

  pick(x: Tensor, index: number): Tensor {
    const [batch = 1, length = 1] = x.shape
    return this.tf.reshape(this.tf.slice(x, [0, 0, index], [batch, length, 1]), [batch, length])
  }

  choicesToRows(ids: Tensor): Tensor {
    return this.tf.reshape(ids, [-1, ids.shape[2] ?? 1])
  }

  rowsToChoices(scores: Tensor, ids: Tensor): Tensor {
    return this.tf.reshape(scores, ids.shape.slice(0, 2))
  }

  mark(_name: string, x: Tensor): Tensor {
    return x
  }

  inner(name: string, x: Tensor): Tensor {
    const full = this.#names.of(name)
    if (this.#wanted.has(full)) this.#kept.set(full, this.tf.keep(this.tf.clone(x)))
    return x
  }

  /** Keeps the inner values of these names in the next pass; `taken` returns them, and the caller disposes of them. */
  want(names: Iterable<string>): void {
    this.#wanted = new Set(names)
  }

  taken(): Map<string, Tensor> {
    const kept = new Map(this.#kept)
    this.#kept.clear()
    return kept
  }
}

/** A model run eagerly, without a model file. */
class EagerRunner implements Runner {
  readonly name: string
  readonly detail: string
  readonly adapter: Adapter | null
  readonly outputs: readonly string[]
  readonly marks: readonly string[]
  readonly inner: readonly string[]
  #ops: TfjsOps | null = null

  constructor(
    readonly engine: TfjsEngine,
    readonly model: AlbertModel,
    readonly source: TensorSource,
    readonly heads: HeadSelection,
  ) {
    this.name = engine.name
    this.detail = `${engine.detail}, eager`
    this.adapter = engine.adapter
    this.outputs = outputNames(model, heads)
    this.marks = ['embedding_output', ...Array.from({ length: hiddenStateCount(model) }, (_, i) => `hidden_state_${i}`)]
    this.inner = innerNames(model, heads)
  }

  async run(inputs: ModelInputs, wanted: readonly string[] = this.outputs): Promise<Map<string, NamedTensor>> {
    const { tf } = this.engine
    await this.engine.use()
    const ops = (this.#ops ??= new TfjsOps(tf, this.source))
    ops.want(wanted)
    const shape = inputShape(inputs, takesChoices(this.model, this.heads))
    const named = tf.tidy(() => {
      const ids = (values: Int32Array): Tensor => tf.tensor(values, shape, 'int32')
      const outputs = forward(
        this.model,
        ops,
        {
          input_ids: ids(inputs.input_ids),
          attention_mask: ids(inputs.attention_mask),
          token_type_ids: ids(inputs.token_type_ids),
        },
        this.heads,
      )
      return Object.fromEntries(selectOutputs(outputs, true).filter(([name]) => wanted.includes(name)))
    })
    const all = { ...named, ...Object.fromEntries(ops.taken()) }
    const values = new Map<string, NamedTensor>()
    for (const [name, tensor] of Object.entries(all))
      values.set(name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array })
    tf.dispose(all)
    return values
  }

  close(): Promise<void> {
    this.#ops?.dispose()
    this.#ops = null
    return this.engine.close()
  }
}

/** Runs `model` itself in TensorFlow.js. */
export const openEager = (model: AlbertModel, source: TensorSource, engine: TfjsEngine, heads: HeadSelection): Runner =>
  new EagerRunner(engine, model, source, heads)
