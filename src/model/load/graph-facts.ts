import type { GraphNode } from '../../formats/core/source.js'
import type { Activation, ModelConfig, RawConfig } from '../config.js'
import { HeadNodes } from './head-nodes.js'

/**
 * Settings of the model that the graph saved with the weights shows and no weight does: heads, epsilon, activation,
 * position of the LayerNorms, depth of shared layers. Nodes are found by the names that the original code gives them.
 */
export interface GraphFacts {
  readonly num_attention_heads?: number
  readonly num_hidden_layers?: number
  readonly layer_norm_eps?: number
  readonly hidden_act?: Activation
  readonly norm_position?: 'post' | 'pre'
  /** Operand of the classifier's kernel: the pooled sequence, or the hidden state of each token. */
  readonly classifier_kind?: 'sequence' | 'token'
}

const ENCODER = String.raw`(?:^|\/)encoder\/(?:.*\/)?`
const EPSILON = new RegExp(`${ENCODER}LayerNorm(?:_\\d+)?/batchnorm/add/y$`)
/** modeling.py reshapes to [B, S, heads, d] (as one constant, or with the heads as one); google's to [H, heads, d]. */
const HEADS: readonly (readonly [pattern: RegExp, length: number, at: number])[] = [
  [new RegExp(`${ENCODER}attention(?:_\\d+)?/self/Reshape/shape/2$`), 1, 0],
  [new RegExp(`${ENCODER}attention(?:_\\d+)?/self/Reshape/shape$`), 4, 2],
  [new RegExp(`${ENCODER}attention_1/self/query/Reshape/shape$`), 3, 1],
]
const ACTIVATED = new RegExp(`${ENCODER}intermediate(?:_\\d+)?/(?:dense/)?[^/]+$`)
const FIRST_NORM = new RegExp(`${ENCODER}(attention(?:_\\d+)?/output)/LayerNorm/moments/mean$`)
/** Each layer has its number; a shared scope is entered once a layer, and TensorFlow numbers the entries. */
const LAYER = /(?:^|\/)encoder\/(?:transformer\/group_\d+(?:_\d+)?\/)?layer_(?:shared(?:_(\d+))?|(\d+))\//

/** Activation function that the operations between the two kernels of a feed-forward layer compute. */
function activationOf(ops: ReadonlySet<string>): Activation | undefined {
  if (ops.has('Erf')) return 'gelu_erf'
  if (ops.has('Tanh')) return ops.has('Pow') ? 'gelu_tanh' : 'tanh'
  if (ops.has('Relu')) return 'relu'
  return ops.has('Sigmoid') ? 'swish' : undefined
}

/** Characters of a name that is looked at: patterns take their square. Names of nodes have up to 200. */
const MAX_NODE_NAME = 512

/** Everything outside of the model proper: gradients, the optimizer, saving. */
const isOutside = (name: string): boolean => /^(gradients|save|report_)/.test(name)

/**
 * Collects what the nodes of a graph say; a fact that it does not show is absent.
 * @param classifier variable of the classifier's kernel
 * @throws AlbertkitError what the graph throws
 */
export function graphFacts(nodes: Iterable<GraphNode>, classifier?: string): GraphFacts {
  const facts: { -readonly [K in keyof GraphFacts]: GraphFacts[K] } = {}
  const activation = new Set<string>()
  const heads = new HeadNodes(classifier)
  let model: string | null = null
  for (const node of nodes) {
    const { name } = node
    if (name.length > MAX_NODE_NAME || isOutside(name)) continue
    const at = name.search(/(?:^|\/)encoder\//)
    if (at < 0) {
      heads.add(node)
      continue
    }
    // A graph that runs the model twice (for training, for serving) has it under two scopes: one is enough.
    model ??= name.slice(0, at)
    if (name.slice(0, at) !== model) continue
    const layer = LAYER.exec(name)
    // Variables have the scope of one layer only; every layer has a softmax.
    if (layer !== null && node.op === 'Softmax')
      facts.num_hidden_layers = Math.max(facts.num_hidden_layers ?? 0, Number(layer[1] ?? layer[2] ?? 0) + 1)
    if (node.op === 'Const') addConstant(facts, node)
    else if (ACTIVATED.test(name)) activation.add(node.op)
    const norm = FIRST_NORM.exec(name)
    if (norm !== null && node.op === 'Mean')
      facts.norm_position ??= node.inputs[0]?.includes(`/${norm[1]!}/`) === true ? 'post' : 'pre'
  }
  const hidden_act = activationOf(activation)
  const classifier_kind = heads.kind()
  return {
    ...facts,
    ...(hidden_act === undefined ? {} : { hidden_act }),
    ...(classifier_kind === undefined ? {} : { classifier_kind }),
  }
}

function addConstant(facts: { -readonly [K in keyof GraphFacts]: GraphFacts[K] }, node: GraphNode): void {
  if (facts.layer_norm_eps === undefined && EPSILON.test(node.name)) {
    const [epsilon] = node.numbers() ?? []
    // The graph has it as float32: 9.99999996e-13 is 1e-12.
    if (epsilon !== undefined && epsilon > 0) facts.layer_norm_eps = Number(epsilon.toPrecision(6))
  }
  for (const [pattern, length, at] of facts.num_attention_heads === undefined ? HEADS : []) {
    if (!pattern.test(node.name)) continue
    const numbers = node.numbers()
    if (numbers?.length === length && numbers[at]! > 0) facts.num_attention_heads = numbers[at]!
  }
}

/** A configuration with what it does not say and the graph does: albert_zh's `ln_type`, which no weight shows. */
export function completeConfig(raw: RawConfig, family: string, facts: GraphFacts): { raw: RawConfig; notes: string[] } {
  const given = raw.fields.ln_type ?? null
  if (family !== 'zh' || given !== null || 'albertkit' in raw.fields || facts.norm_position !== 'pre')
    return { raw, notes: [] }
  const fields = { ...raw.fields, ln_type: 'preln' }
  return { raw: { ...raw, fields }, notes: ['the configuration has no ln_type; the graph is pre-LN, so the model is'] }
}

const FIELDS = [
  'num_attention_heads',
  'num_hidden_layers',
  'hidden_act',
  'layer_norm_eps',
  'norm_position',
] as const satisfies readonly (keyof GraphFacts)[]

/** Notes on what graph and configuration agree on, or do not. */
export function compareFacts(config: ModelConfig, facts: GraphFacts, file: string): string[] {
  const shown = FIELDS.filter((field) => facts[field] !== undefined)
  const differing = shown.filter((field) => facts[field] !== config[field])
  if (differing.length > 0)
    return differing.map(
      (field) =>
        `${field} is ${config[field]}, but the graph in ${file} has ` +
        `${String(facts[field])}: if the graph is right, outputs will be wrong`,
    )
  if (shown.length === 0) return []
  const list = shown.map((field) => `${field} ${String(facts[field])}`).join(', ')
  return [`the graph in ${file} agrees with the configuration: ${list}`]
}
