import type { GraphNode } from '../../formats/core/source.js'

/** Nodes kept of what a graph has outside the encoder; a head has tens. */
const MAX_NODES = 100_000
/** Inputs of a node of a head; that which starts all variables has thousands. */
const MAX_INPUTS = 64
/** Nodes between the pooler or the encoder and the head: dropout, reshapes. */
const MAX_STEPS = 1_000

const isEncoder = (name: string): boolean => /(?:^|\/)encoder\//.test(name)
const isPooler = (name: string): boolean => /(?:^|\/)pooler\//.test(name)

/** Nodes outside the encoder, from which the way back from a classifier's product is followed. */
export class HeadNodes {
  readonly #inputs = new Map<string, readonly string[]>()
  readonly #products: GraphNode[] = []

  /** @param classifier variable of the classifier's kernel; undefined if there is none */
  constructor(readonly classifier: string | undefined) {}

  add(node: GraphNode): void {
    if (this.classifier === undefined || this.#inputs.size >= MAX_NODES || node.inputs.length > MAX_INPUTS) return
    this.#inputs.set(node.name, node.inputs)
    if (node.op === 'MatMul' || node.op === 'BatchMatMulV2') this.#products.push(node)
  }

  /** True if `name` only passes the kernel on: `output_weights/read`, a transpose of it. */
  #isKernel(name: string, steps = 8): boolean {
    if (name === this.classifier) return true
    const [first] = this.#inputs.get(name) ?? []
    return first !== undefined && steps > 0 && this.#isKernel(first, steps - 1)
  }

  /** Operand of the classifier's kernel, one vector a sequence or a token; undefined if the graph does not show it. */
  kind(): 'sequence' | 'token' | undefined {
    const product = this.#products.find(({ inputs }) => inputs[1] !== undefined && this.#isKernel(inputs[1]))
    const queue = product?.inputs[0] === undefined ? [] : [product.inputs[0]]
    const seen = new Set(queue)
    let found: 'token' | undefined
    for (let name = queue.shift(); name !== undefined && seen.size < MAX_STEPS; name = queue.shift()) {
      if (isPooler(name)) return 'sequence'
      if (isEncoder(name)) {
        found = 'token'
        continue
      }
      for (const input of this.#inputs.get(name) ?? []) {
        if (seen.has(input)) continue
        seen.add(input)
        queue.push(input)
      }
    }
    return found
  }
}
