import type { Value } from '../export/onnx/nodes.js'
import type { GraphWriter } from './graph-writer.js'

/** Writes the gradient of a result: given d loss / d result, it calls `give` for each operand. */
export type Backward = (gradient: Value) => void

interface Step {
  readonly output: Value
  readonly path: readonly string[]
  readonly backward: Backward
}

/**
 * Reverse-mode differentiation of a graph under construction. Operations record how their gradient is written; `run`
 * writes these nodes in reverse order. Values that depend on no trainable parameter are not tracked, so that no node is
 * written for the gradient of a frozen part.
 */
export class Tape {
  readonly #steps: Step[] = []
  readonly #tracked = new Set<Value>()
  readonly #gradients = new Map<Value, Value>()

  constructor(readonly writer: GraphWriter) {}

  /** Marks a parameter as one whose gradient is asked for. */
  track(value: Value): void {
    this.#tracked.add(value)
  }

  isTracked(value: Value): boolean {
    return this.#tracked.has(value)
  }

  /** Records `output`, an operation of `operands`; does nothing if no operand is tracked. Returns `output`. */
  record(output: Value, operands: readonly Value[], backward: Backward): Value {
    if (!operands.some((operand) => this.#tracked.has(operand))) return output
    this.#tracked.add(output)
    this.#steps.push({ output, path: this.writer.names.path, backward })
    return output
  }

  /**
   * Adds to the gradient of `value`; does nothing if it is not tracked.
   * @param make writes the nodes; called with the sum so far, which its result includes, or null at first
   */
  accumulate(value: Value, make: (sum: Value | null) => Value): void {
    if (!this.#tracked.has(value)) return
    this.#gradients.set(value, make(this.#gradients.get(value) ?? null))
  }

  /** Adds `make()` to the gradient of `value`; does nothing if it is not tracked. */
  give(value: Value, make: () => Value): void {
    this.accumulate(value, (sum) => {
      const gradient = make()
      return sum === null ? gradient : this.writer.node('Add', [sum, gradient], value.dims)
    })
  }

  /** Writes the backward pass from the values whose gradients were given. */
  run(): void {
    for (const { output: result, path, backward } of [...this.#steps].reverse()) {
      const gradient = this.#gradients.get(result)
      if (gradient === undefined) continue
      this.writer.names.within(['backward', ...path], () => {
        backward(gradient)
      })
    }
    this.#steps.length = 0
  }

  /** Gradient of a tracked value after `run`; null if the output does not depend on it. */
  gradientOf(value: Value): Value | null {
    return this.#gradients.get(value) ?? null
  }
}
