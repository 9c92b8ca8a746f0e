import { DataType, int, type Value } from '../export/onnx/nodes.js'
import type { Activation } from '../model/config.js'
import type { GraphWriter } from './graph-writer.js'

/** An activation and its derivative as nodes of a graph. */

interface Differentiable {
  readonly value: Value
  /** Writes d value / d x, elementwise; null if it is 1. */
  readonly derivative: (() => Value) | null
}

/** Constants of tanh GELU: `u = √(2/π) (x + 0.044715 x³)` (modeling.py `gelu`). */
const SCALE = Math.sqrt(2 / Math.PI)
const CUBIC = 0.044715

class Elementwise {
  constructor(
    readonly writer: GraphWriter,
    readonly x: Value,
  ) {}

  unary(op: string, a: Value): Value {
    return this.writer.node(op, [a], this.x.dims)
  }

  binary(op: 'Add' | 'Sub' | 'Mul', a: Value | number, b: Value | number): Value {
    const operand = (v: Value | number): Value => (typeof v === 'number' ? this.writer.scalar(v) : v)
    return this.writer.node(op, [operand(a), operand(b)], this.x.dims)
  }

  /** `x · σ(2u)`, which equals `x/2 · (1 + tanh u)`: fewer passes, forward and backward. */
  geluTanh(): Differentiable {
    const { x } = this
    const square = this.binary('Mul', x, x)
    const factor = this.binary('Add', this.binary('Mul', square, 2 * SCALE * CUBIC), 2 * SCALE)
    const gate = this.unary('Sigmoid', this.binary('Mul', x, factor))
    const derivative = (): Value => {
      // d 2u / dx = 2√(2/π) (1 + 3 · 0.044715 x²)
      const slope = this.binary('Add', this.binary('Mul', square, 6 * SCALE * CUBIC), 2 * SCALE)
      return this.#gated(gate, slope)
    }
    return { value: this.binary('Mul', x, gate), derivative }
  }

  /** Derivative of `x · σ(t)`: `σ + x · σ (1 − σ) · dt/dx`. */
  #gated(gate: Value, slope: Value | null): Value {
    const rest = this.binary('Mul', this.x, this.binary('Sub', 1, gate))
    const inner = slope === null ? rest : this.binary('Mul', rest, slope)
    return this.binary('Mul', gate, this.binary('Add', inner, 1))
  }

  swish(): Differentiable {
    const gate = this.unary('Sigmoid', this.x)
    return { value: this.binary('Mul', this.x, gate), derivative: () => this.#gated(gate, null) }
  }

  /** `x · Φ(x)`; its derivative is `Φ(x) + x · φ(x)`. */
  geluErf(): Differentiable {
    const { x } = this
    const erf = this.unary('Erf', this.binary('Mul', x, Math.SQRT1_2))
    const cumulative = this.binary('Mul', this.binary('Add', erf, 1), 0.5)
    const derivative = (): Value => {
      const exponent = this.binary('Mul', this.binary('Mul', x, x), -0.5)
      const density = this.binary('Mul', this.unary('Exp', exponent), 1 / Math.sqrt(2 * Math.PI))
      return this.binary('Add', cumulative, this.binary('Mul', x, density))
    }
    return { value: this.binary('Mul', x, cumulative), derivative }
  }

  tanh(): Differentiable {
    const value = this.unary('Tanh', this.x)
    return { value, derivative: () => this.binary('Sub', 1, this.binary('Mul', value, value)) }
  }

  relu(): Differentiable {
    const value = this.unary('Relu', this.x)
    const derivative = (): Value => {
      const positive = this.writer.node('Greater', [this.x, this.writer.scalar(0)], this.x.dims)
      return this.writer.node('Cast', [positive], this.x.dims, { attributes: [int('to', DataType.FLOAT)] })
    }
    return { value, derivative }
  }
}

/** Writes the nodes of `kind` applied to `x`. */
export function activate(writer: GraphWriter, x: Value, kind: Activation): Differentiable {
  const elementwise = new Elementwise(writer, x)
  switch (kind) {
    case 'gelu_tanh':
      return elementwise.geluTanh()
    case 'gelu_erf':
      return elementwise.geluErf()
    case 'swish':
      return elementwise.swish()
    case 'tanh':
      return elementwise.tanh()
    case 'relu':
      return elementwise.relu()
    case 'linear':
      return { value: x, derivative: null }
  }
}
