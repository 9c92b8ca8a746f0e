import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel, Parameter } from '../albert.js'
import { forward } from '../forward.js'
import type { HeadSelection } from '../tasks.js'
import type { Computing, ModelInputs, Subject } from './run.js'
import type { Processors } from './processors.js'
import { matrix } from './product.js'
import { integers, ReferenceOps, type Tensor } from './reference.js'
import { readLogical, useCounts } from '../tensors/read.js'

/** Statistics of the layers and attention heads of a forward pass: means over tokens, padding left out. */

/** Distance between input and output of a layer, mean over tokens. */
export interface LayerMeans {
  /** Counts from 0, as the family counts hidden states: every inner layer, in hf the last one of each layer. */
  readonly layer: number
  /** Mean Euclidean distance of a token's input and output. */
  readonly l2: number
  /** Mean cosine of the angle between them. */
  readonly cosine: number
}

/** Attention entropy and output norm of a head, mean over tokens. */
export interface HeadMeans {
  /** The layer that it is a part of, counted as in `LayerMeans`. */
  readonly layer: number
  /** hf: index of the inner layer within it; else 0. */
  readonly inner: number
  readonly head: number
  /** Mean entropy of a token's attention, in nats: 0 looks at one token, ln n at n alike. */
  readonly entropy: number
  /** Mean entropy as a part of the largest that the row allows, 0 to 1; null if no row has two tokens. */
  readonly normalised: number | null
  /** Mean Euclidean norm of what the head adds to a token: its context times its rows of the output kernel. */
  readonly norm: number
}

/** Sums of numbers, and how many they are. */
export class Mean {
  #sum = 0
  #count = 0
  add(x: number): void {
    this.#sum += x
    this.#count++
  }
  get value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count
  }
}

export interface HeadSums {
  readonly layer: number
  readonly inner: number
  readonly head: number
  readonly entropy: Mean
  readonly normalised: Mean
  readonly norm: Mean
}

/** Accumulates means over the tokens of any number of runs. */
export class TraceMeans {
  readonly layers: { readonly l2: Mean; readonly cosine: Mean }[] = []
  readonly heads = new Map<string, HeadSums>()
  tokens = 0

  /** @param onAttention called with the probabilities of each inner layer, `[B, heads, S, S]` */
  constructor(readonly onAttention: (layer: number, inner: number, probabilities: Tensor) => void = () => undefined) {}

  head(layer: number, inner: number, head: number): HeadSums {
    const key = `${layer}/${inner}/${head}`
    let sums = this.heads.get(key)
    if (sums === undefined) {
      sums = { layer, inner, head, entropy: new Mean(), normalised: new Mean(), norm: new Mean() }
      this.heads.set(key, sums)
    }
    return sums
  }

  result(): { readonly layers: LayerMeans[]; readonly heads: HeadMeans[] } {
    return {
      layers: this.layers.map(({ l2, cosine }, layer) => ({
        layer,
        l2: l2.value ?? NaN,
        cosine: cosine.value ?? NaN,
      })),
      heads: [...this.heads.values()].map(({ layer, inner, head, entropy, normalised, norm }) => ({
        layer,
        inner,
        head,
        entropy: entropy.value ?? NaN,
        normalised: normalised.value,
        norm: norm.value ?? NaN,
      })),
    }
  }
}

const NO_HEADS: HeadSelection = { mlm: false, sop: false, classifier: false, qa: false }
const ATTENTION = /^encoder\/layer_(\d+)(?:\/inner_(\d+))?\/attention\/(?:(probabilities)|context\/merged)$/

/** The float64 reference, watched: what it computes stays as it is, and nothing of it is kept longer than a layer. */
class TraceOps extends ReferenceOps {
  readonly #inputs: ModelInputs
  readonly #model: AlbertModel
  readonly #means: TraceMeans
  #input: Tensor | null = null
  #layer = 0
  #inner = 0
  #kernel: { readonly of: Parameter; readonly data: Float32Array } | null = null

  constructor({ model, source }: Subject, inputs: ModelInputs, means: TraceMeans, processors?: Processors) {
    super(source, useCounts(model), processors)
    this.#inputs = inputs
    this.#model = model
    this.#means = means
  }

  #isToken(row: number, position: number): boolean {
    return this.#inputs.attention_mask[row * this.#inputs.sequence + position] === 1
  }

  /** The input of layer 0 is the last of embeddings and mapping; that of the others is the hidden state before. */
  override mark(name: string, x: Tensor): Tensor {
    if (name.startsWith('hidden_state_')) {
      if (this.#input !== null) this.#compare(this.#input, x)
      this.#layer++
      this.#inner = 0
    }
    this.#input = x
    return super.mark(name, x)
  }

  #compare(input: Tensor, output: Tensor): void {
    const { batch, sequence } = this.#inputs
    const width = output.shape[2] ?? 1
    const sums = (this.#means.layers[this.#layer] ??= { l2: new Mean(), cosine: new Mean() })
    for (let token = 0; token < batch * sequence; token++) {
      if (!this.#isToken(0, token)) continue
      let [distance, dot, aa, bb] = [0, 0, 0, 0]
      for (let i = token * width; i < (token + 1) * width; i++) {
        const [a, b] = [input.data[i]!, output.data[i]!]
        distance += (a - b) ** 2
        dot += a * b
        aa += a * a
        bb += b * b
      }
      sums.l2.add(Math.sqrt(distance))
      sums.cosine.add(aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb))
    }
  }

  override inner(name: string, x: Tensor): Tensor {
    const match = ATTENTION.exec(this.names.of(name))
    if (match === null) return x
    if (match[3] !== undefined) {
      this.#means.onAttention(this.#layer, this.#inner, x)
      this.#entropies(x)
    } else {
      this.#norms(x, this.#model.layers[Number(match[1])]?.[Number(match[2] ?? 0)]?.attentionOutput.kernel)
      this.#inner++
    }
    return x
  }

  #entropies({ shape, data }: Tensor): void {
    const [batch = 1, heads = 1, length = 1] = shape
    for (let row = 0; row < batch; row++) {
      let seen = 0
      for (let t = 0; t < length; t++) if (this.#isToken(row, t)) seen++
      for (let head = 0; head < heads; head++) {
        const sums = this.#means.head(this.#layer, this.#inner, head)
        for (let s = 0; s < length; s++) {
          if (!this.#isToken(row, s)) continue
          const start = ((row * heads + head) * length + s) * length
          let entropy = 0
          for (let t = start; t < start + length; t++) {
            const p = data[t]!
            if (p > 0) entropy -= p * Math.log(p)
          }
          sums.entropy.add(entropy)
          if (seen > 1) sums.normalised.add(entropy / Math.log(seen))
        }
      }
    }
  }

  /** Norms of each head's part of `context · kernel`, a token at a time. */
  #norms(context: Tensor, kernel: Parameter | undefined): void {
    if (kernel === undefined) return
    if (this.#kernel?.of !== kernel)
      this.#kernel = { of: kernel, data: readLogical(this.source, kernel, this.processors.float32) }
    const { data: w } = this.#kernel
    const { num_attention_heads: heads, hidden_size: hidden } = this.#model.config
    const size = hidden / heads
    const { batch, sequence } = this.#inputs
    const rows = batch * sequence
    const added = this.processors.float64(rows * hidden)
    for (let head = 0; head < heads; head++) {
      const part = matrix(w, hidden, head * size * hidden)
      this.processors.multiply({
        x: matrix(context.data, hidden, head * size),
        w: part,
        size: { rows, inner: size, outer: hidden },
        y: matrix(added, hidden),
      })
      const { norm } = this.#means.head(this.#layer, this.#inner, head)
      for (let token = 0; token < rows; token++) {
        if (!this.#isToken(0, token)) continue
        let sum = 0
        for (let i = token * hidden; i < (token + 1) * hidden; i++) sum += added[i]! * added[i]!
        norm.add(Math.sqrt(sum))
      }
    }
  }
}

/**
 * Runs the float64 reference without its heads and adds what each layer and each attention head did to `means`.
 * @param inputs `[batch, sequence]`; choices are rows like others
 */
export function traceOn(subject: Subject, inputs: ModelInputs, means: TraceMeans, computing: Computing = {}): void {
  const shape = [inputs.batch, inputs.sequence]
  const ops = new TraceOps(subject, inputs, means, computing.processors)
  if (computing.onLayer !== undefined) ops.onLayer = computing.onLayer
  forward(
    { ...subject.model, pooler: null },
    ops,
    {
      input_ids: integers(inputs.input_ids, shape),
      attention_mask: integers(inputs.attention_mask, shape),
      token_type_ids: integers(inputs.token_type_ids, shape),
    },
    NO_HEADS,
  )
  means.tokens += inputs.attention_mask.reduce((n, m) => n + (m === 1 ? 1 : 0), 0)
}

/**
 * Runs the float64 reference without its heads and adds what each layer and each attention head did to `means`.
 * @param inputs `[batch, sequence]`; choices are rows like others
 * @param onLayer called after each layer with how many are done
 */
export function traceReference(
  model: AlbertModel,
  source: TensorSource,
  inputs: ModelInputs,
  means: TraceMeans,
  onLayer: (layer: number) => void = () => undefined,
): void {
  let layer = 0
  traceOn({ model, source }, inputs, means, {
    onLayer: () => {
      onLayer(++layer)
    },
  })
}
