import type { AlbertModel } from '../albert.js'
import { forward } from '../forward.js'
import type { HeadSelection } from '../tasks.js'
import type { Ops } from '../ops.js'
import { ScopePath } from './scope-path.js'

/** Stands for a tensor; null would mean an output that the model lacks. */
const NOTHING = 'nothing'
type Nothing = typeof NOTHING

const nothing = (): Nothing => NOTHING

/** `Ops` that compute nothing and write down what the inner values are called, in the order of their computation. */
class NamingOps implements Ops<Nothing> {
  readonly inners: string[] = []
  readonly #names = new ScopePath()

  scope = (name: string, body: () => Nothing): Nothing => this.#names.scope(name, body)
  gather = nothing
  positions = nothing
  linear = nothing
  groupedLinear = nothing
  linearTransposed = nothing
  add = nothing
  layerNorm = nothing
  activation = nothing
  attentionBias = nothing
  splitHeads = nothing
  mergeHeads = nothing
  scores = nothing
  softmax = nothing
  context = nothing
  firstToken = nothing
  pick = nothing
  choicesToRows = nothing
  rowsToChoices = nothing
  mark = nothing
  inner = (name: string): Nothing => {
    this.inners.push(this.#names.of(name))
    return NOTHING
  }
}

/** Names of the inner values of a forward pass: paths such as `encoder/layer_3/attention/scores/product`. */
export function innerNames(model: AlbertModel, heads: HeadSelection): string[] {
  const ops = new NamingOps()
  forward(model, ops, { input_ids: NOTHING, attention_mask: NOTHING, token_type_ids: NOTHING }, heads)
  return ops.inners
}
