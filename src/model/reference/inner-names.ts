import type { AlbertModel } from '../albert.js'
import { forward } from '../forward.js'
import type { HeadSelection } from '../tasks.js'
import type { Ops } from '../ops.js'
import { ScopePath } from './scope-path.js'

/** Stands for a tensor; null would mean an output that the model lacks. */
const NOTHING = 'nothing'
type Nothing = typeof NOTHING

/** `Ops` that compute nothing and write down what the inner values are called, in the order of their computation. */
class NamingOps implements Ops<Nothing> {
  readonly inners: string[] = []
  readonly #names = new ScopePath()

  scope = (name: string, body: () => Nothing): Nothing => this.#names.scope(name, body)
  gather = (): Nothing => NOTHING
  positions = (): Nothing => NOTHING
  linear = (): Nothing => NOTHING
  groupedLinear = (): Nothing => NOTHING
  linearTransposed = (): Nothing => NOTHING
  add = (): Nothing => NOTHING
  layerNorm = (): Nothing => NOTHING
  activation = (): Nothing => NOTHING
  attentionBias = (): Nothing => NOTHING
  splitHeads = (): Nothing => NOTHING
  mergeHeads = (): Nothing => NOTHING
  scores = (): Nothing => NOTHING
  softmax = (): Nothing => NOTHING
  context = (): Nothing => NOTHING
  firstToken = (): Nothing => NOTHING
  pick = (): Nothing => NOTHING
  choicesToRows = (): Nothing => NOTHING
  rowsToChoices = (): Nothing => NOTHING
  mark = (): Nothing => NOTHING
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
