import type { GraphObject } from './graph-object.js'

/**
 * Layers of different heads to which tf-models gives one name (official/nlp/modeling): `predictions/transform/logits` is the
 * dense layer of BertTokenClassifier, that of the network in BertSpanLabeler, and that of the first BertClassifier. Their
 * places among the objects tell them apart; files of Keras (HDF5) put the network's name before it.
 */
const SAME = 'predictions/transform/logits/'

/** `fullName` with the name of the network around its layer, where it lies in one. @param width last axis of the variable */
export function nameWithin(objects: readonly GraphObject[], node: number, fullName: string, width: number): string {
  if (!fullName.startsWith(SAME)) return fullName
  const holders = (child: number): { node: number; name: string }[] =>
    objects.flatMap(({ children }, at) =>
      children.filter((c) => c.node === child).map(({ name }) => ({ node: at, name })),
    )
  // The dense layer, and the network of which it is the only layer.
  const layers = holders(node).filter(({ name }) => name === 'kernel' || name === 'bias')
  const around = layers.flatMap((layer) => holders(layer.node))
  const isOnly = (network: number): boolean =>
    !(objects[network]?.children ?? []).some(({ name }) => name === 'layer_with_weights-1')
  const network = around.find(({ node: at, name }) => name === 'layer_with_weights-0' && isOnly(at))
  if (network === undefined) return fullName
  const called = holders(network.node).map(({ name }) => name)
  if (called.includes('span_labeling')) return `span_labeling/${fullName}`
  // Earlier editions have no attribute: a span has two logits, a classifier as many as it likes.
  return called.includes('classifier') || width !== 2 ? `sentence_prediction/${fullName}` : `network/${fullName}`
}
