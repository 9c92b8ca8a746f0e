import type { GraphObject } from './graph-object.js'

/**
 * Layers of different heads to which tf-models gives one name (official/nlp/modeling): `predictions/transform/logits`
 * is the dense layer of BertTokenClassifier, of the network in BertSpanLabeler, and of the first version of
 * BertClassifier. Their positions in the object graph tell them apart; Keras files (HDF5) prefix the network's name.
 */
const SAME = 'predictions/transform/logits/'

/** References to one object that are looked at: a layer is held by its network, and by a list or two of layers. */
const MAX_HOLDERS = 16

/** A reference to an object: which object has it, and under what name. */
interface Holder {
  readonly node: number
  readonly name: string
}

/** Objects with those that refer to each, found once for all. */
export class Holders {
  #holders: Map<number, Holder[]> | null = null
  readonly #oneLayer = new Map<number, boolean>()

  constructor(readonly objects: readonly GraphObject[]) {}

  of(child: number): readonly Holder[] {
    if (this.#holders === null) {
      this.#holders = new Map()
      for (const [node, { children }] of this.objects.entries())
        for (const { node: held, name } of children) {
          const known = this.#holders.get(held)
          if (known === undefined) this.#holders.set(held, [{ node, name }])
          else if (known.length < MAX_HOLDERS) known.push({ node, name })
        }
    }
    return this.#holders.get(child) ?? []
  }

  /** True if the first layer with weights of a network is its only one. */
  hasOneLayer(network: number): boolean {
    let known = this.#oneLayer.get(network)
    if (known === undefined) {
      known = !(this.objects[network]?.children ?? []).some(({ name }) => name === 'layer_with_weights-1')
      this.#oneLayer.set(network, known)
    }
    return known
  }
}

/**
 * `fullName` prefixed with the name of the network that contains its layer, if there is one.
 * @param width size of the last axis of the variable
 */
export function nameWithin(graph: Holders, node: number, fullName: string, width: number): string {
  if (!fullName.startsWith(SAME)) return fullName
  // The dense layer, and the network whose only layer it is.
  const layers = graph.of(node).filter(({ name }) => name === 'kernel' || name === 'bias')
  const around = layers.flatMap((layer) => graph.of(layer.node))
  const network = around.find(({ node: at, name }) => name === 'layer_with_weights-0' && graph.hasOneLayer(at))
  if (network === undefined) return fullName
  const called = graph.of(network.node).map(({ name }) => name)
  if (called.includes('span_labeling')) return `span_labeling/${fullName}`
  // Earlier versions lack the attribute: a span head has two logits, a classifier any number.
  return called.includes('classifier') || width !== 2 ? `sentence_prediction/${fullName}` : `network/${fullName}`
}
