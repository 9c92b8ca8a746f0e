import type { GraphObject } from './graph-object.js'

/**
 * Layers of different heads to which tf-models gives one name (official/nlp/modeling): `predictions/transform/logits`
 * is the dense layer of BertTokenClassifier, of the network in BertSpanLabeler, and of the first version of
 * BertClassifier. Their positions in the object graph tell them apart; Keras files (HDF5) prefix the network's name.
 */
const SAME = 'predictions/transform/logits/'

/**
 * `fullName` prefixed with the name of the network that contains its layer, if there is one.
 * @param width size of the last axis of the variable
 */
export function nameWithin(objects: readonly GraphObject[], node: number, fullName: string, width: number): string {
  if (!fullName.startsWith(SAME)) return fullName
  const holders = (child: number): { node: number; name: string }[] =>
    objects.flatMap(({ children }, at) =>
      children.filter((c) => c.node === child).map(({ name }) => ({ node: at, name })),
    )
  // The dense layer, and the network whose only layer it is.
  const layers = holders(node).filter(({ name }) => name === 'kernel' || name === 'bias')
  const around = layers.flatMap((layer) => holders(layer.node))
  const isOnly = (network: number): boolean =>
    !(objects[network]?.children ?? []).some(({ name }) => name === 'layer_with_weights-1')
  const network = around.find(({ node: at, name }) => name === 'layer_with_weights-0' && isOnly(at))
  if (network === undefined) return fullName
  const called = holders(network.node).map(({ name }) => name)
  if (called.includes('span_labeling')) return `span_labeling/${fullName}`
  // Earlier versions lack the attribute: a span head has two logits, a classifier any number.
  return called.includes('classifier') || width !== 2 ? `sentence_prediction/${fullName}` : `network/${fullName}`
}
