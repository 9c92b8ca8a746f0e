import { int, type Value } from '../export/onnx/nodes.js'
import type { ForwardOutputs } from '../model/forward.js'
import type { TrainOps } from './train-ops.js'

/**
 * Loss function. `softmax`: cross entropy of mutually exclusive classes, for sequences, tokens or choices
 * (run_classifier.py `create_model`). `sigmoid`: binary cross entropy of each class. `squared`: squared difference.
 * `spans`: mean of two cross entropies over the sequence, of the start and of the end (run_squad.py).
 */
export type LossKind = 'softmax' | 'sigmoid' | 'squared' | 'spans'

/** Inputs of a training graph besides ids and weights: targets, shaped like the logits, and the factor of the sum. */
export const TARGETS = 'targets'
export const END_TARGETS = 'end_targets'
/** Scalar: the loss is `scale · Σ` over examples (and tokens, classes), so `scale` 1 / B gives the mean. */
export const SCALE = 'scale'

export interface Loss {
  readonly value: Value
  /** Inputs with the targets. */
  readonly targets: readonly Value[]
  readonly scale: Value
  /** Values that were compared with the targets: the logits. */
  readonly logits: readonly Value[]
}

class LossWriter {
  readonly scale: Value

  constructor(readonly ops: TrainOps) {
    this.scale = { name: ops.writer.names.reserve(SCALE), dims: [], half: false }
  }

  target(name: string, logits: Value): Value {
    return { name: this.ops.writer.names.reserve(name), dims: logits.dims, half: false }
  }

  #total(terms: Value): Value {
    const { math } = this.ops
    return math.multiply(
      math.sum(
        terms,
        terms.dims.map((_, axis) => axis),
      ),
      this.scale,
    )
  }

  #give(logits: Value, gradient: Value): void {
    const { tape, math } = this.ops
    tape.give(logits, () => math.multiply(gradient, this.scale))
  }

  /** `−Σ targets · log softmax(logits)`; rows of targets that are all zero do not count. */
  crossEntropy(logits: Value, targets: Value): Value {
    const { writer, math } = this.ops
    const attributes = [int('axis', -1)]
    const logs = writer.node('LogSoftmax', [logits], logits.dims, { attributes })
    const loss = this.#total(writer.node('Neg', [math.multiply(logs, targets)], logits.dims))
    const probabilities = writer.node('Softmax', [logits], logits.dims, { attributes })
    const counted = math.multiply(probabilities, math.sum(targets, [logits.dims.length - 1], true))
    this.#give(logits, writer.node('Sub', [counted, targets], logits.dims))
    return loss
  }

  /** `Σ log(1 + eˣ) − targets · x` */
  binary(logits: Value, targets: Value): Value {
    const { writer, math } = this.ops
    const soft = writer.node('Softplus', [logits], logits.dims)
    const loss = this.#total(writer.node('Sub', [soft, math.multiply(logits, targets)], logits.dims))
    const probabilities = writer.node('Sigmoid', [logits], logits.dims)
    this.#give(logits, writer.node('Sub', [probabilities, targets], logits.dims))
    return loss
  }

  /** `Σ (x − targets)²` */
  squared(logits: Value, targets: Value): Value {
    const { writer, math } = this.ops
    const difference = writer.node('Sub', [logits, targets], logits.dims)
    const loss = this.#total(math.multiply(difference, difference))
    this.#give(logits, math.multiply(difference, writer.scalar(2)))
    return loss
  }
}

/**
 * Writes the loss of a forward pass and the gradients of its logits; `tape.run` writes the rest of the backward pass.
 * @throws RangeError if the forward pass has no such logits
 */
export function writeLoss(ops: TrainOps, kind: LossKind, outputs: ForwardOutputs<Value>): Loss {
  return ops.writer.names.within(['loss'], () => {
    const writer = new LossWriter(ops)
    const { logits, start_logits, end_logits } = outputs
    if (kind === 'spans') {
      if (start_logits === null || end_logits === null) throw new RangeError('the model has no span logits')
      const targets = [writer.target(TARGETS, start_logits), writer.target(END_TARGETS, end_logits)] as const
      const start = writer.crossEntropy(start_logits, targets[0])
      const end = writer.crossEntropy(end_logits, targets[1])
      const value = ops.writer.node('Add', [start, end], [])
      return { value, targets, scale: writer.scale, logits: [start_logits, end_logits] }
    }
    if (logits === null) throw new RangeError('the model has no logits')
    const target = writer.target(TARGETS, logits)
    const write = { softmax: 'crossEntropy', sigmoid: 'binary', squared: 'squared' } as const
    return { value: writer[write[kind]](logits, target), targets: [target], scale: writer.scale, logits: [logits] }
  })
}
