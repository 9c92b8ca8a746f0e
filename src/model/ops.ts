import type { LayerNorm, Parameter } from './albert.js'
import type { Activation } from './config.js'

/**
 * The operations that a transformer's forward pass needs, generic in the tensor type. `forward.ts` is written
 * against this and nothing else. An implementation either computes (reference, tfjs) or writes the nodes of a
 * model file (onnx-graph, tfjs-graph). Shapes: B batch, S sequence, H hidden, N heads, D = H / N.
 */
export interface Ops<T> {
  /**
   * Runs `body` inside the named scope: graph builders prefix node names with `name/`, runtimes free the
   * temporaries of `body`. `body`'s result outlives the scope.
   */
  scope(name: string, body: () => T): T
  /** Rows of `table [n, w]` by `ids [B, S]`: `[B, S, w]`. */
  gather(table: Parameter, ids: T): T
  /** The first S rows of `table [P, w]`, S being the sequence length of `ids [B, S]`: `[S, w]`, to be added to `[B, S, w]`. */
  positions(table: Parameter, ids: T): T
  /** `x·kernel (+ bias)` over the last axis; `kernel` is `[in, out]`. */
  linear(x: T, kernel: Parameter, bias: Parameter | null): T
  /**
   * `x·kernel (+ bias)` over the last axis in groups; `kernel` is `[G, in/G, out/G]`. Group g takes the input channels
   * `h·G + g` and gives the output channels from `g·out/G` on (modeling_google_fast.py).
   */
  groupedLinear(x: T, kernel: Parameter, bias: Parameter | null): T
  /** `x·weightᵀ (+ bias)` over the last axis; `weight` is `[out, in]`: output heads and tied decoders. */
  linearTransposed(x: T, weight: Parameter, bias: Parameter | null): T
  /** Elementwise sum; `b` has the shape of `a` or its trailing part. */
  add(a: T, b: T): T
  /** LayerNorm over the last axis, biased variance. */
  layerNorm(x: T, norm: LayerNorm, epsilon: number): T
  activation(x: T, kind: Activation): T
  /** `(1 − mask) · penalty` as `[B, 1, 1, S]` from `mask [B, S]` (integers). Built once a forward pass. */
  attentionBias(mask: T, penalty: number): T
  /** `[B, S, H]` → `[B, N, S, D]`. */
  splitHeads(x: T, heads: number): T
  /** `[B, N, S, D]` → `[B, S, H]`. */
  mergeHeads(x: T): T
  /** `a·bᵀ / √D` of two `[B, N, S, D]`: `[B, N, S, S]`. */
  scores(query: T, key: T, headSize: number): T
  /** Softmax over the last axis. */
  softmax(x: T): T
  /** `probabilities [B, N, S, S] · value [B, N, S, D]`: `[B, N, S, D]`. */
  context(probabilities: T, value: T): T
  /** Token 0 of `[B, S, H]`: `[B, H]`. */
  firstToken(x: T): T
  /** Element `index` of the last axis of `[B, S, n]`: `[B, S]`. */
  pick(x: T, index: number): T
  /** Choices as separate rows: `ids [B, C, S]` → `[B·C, S]`. */
  choicesToRows(ids: T): T
  /** Rows as choices again: `scores [B·C, 1]` → `[B, C]`, for `ids [B, C, S]`. */
  rowsToChoices(scores: T, ids: T): T
  /** Tells the implementation that `x` is what the user knows under `name` (e.g. `hidden_state_3`); returns it. */
  mark(name: string, x: T): T
  /**
   * Tells the implementation that `x` is the inner value `name` of the open scope (its full name is the path,
   * `encoder/layer_3/attention/scores/product`), for `verify --bisect`. Returns `x` or its replacement.
   */
  inner(name: string, x: T): T
}

/** The three integer inputs of every model, each `[B, S]`, or `[B, C, S]` if a head chooses between C rows. */
export interface ForwardInputs<T> {
  readonly input_ids: T
  readonly attention_mask: T
  readonly token_type_ids: T
}
