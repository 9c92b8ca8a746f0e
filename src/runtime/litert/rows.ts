import { usage } from '../../base/errors.js'
import { inputShape, type ModelInputs } from '../../model/reference/run.js'
import type { NamedTensor } from '../runner.js'

/** Running a graph of fixed shape on inputs of any: rows are taken a few at a time, and short ones are padded. */

/** Shape of a graph's inputs. */
export interface FixedShape {
  /** Rows of one run; for a multiple-choice head, choices of one example. */
  readonly batch: number
  readonly sequence: number
  /** True if the inputs are `[1, choices, sequence]`. */
  readonly choices: boolean
}

/** The shape as a list of dimensions. */
export const dimsOf = ({ batch, sequence, choices }: FixedShape): readonly number[] =>
  choices ? [1, batch, sequence] : [batch, sequence]

/** @throws AlbertkitError `usage` if rows are longer than the file takes */
export function refuseLonger(file: string, { sequence }: Pick<ModelInputs, 'sequence'>, most: number | null): void {
  if (most === null || sequence <= most) return
  throw usage(`the file takes ${most} tokens a row, not ${sequence}`, {
    code: 'sequence-too-long',
    file,
    hint: 'cut the texts shorter, or convert with a longer `sequence`',
  })
}

/** Inputs of one run, each `batch · sequence` long. */
export type Feeds = Readonly<Record<'input_ids' | 'attention_mask' | 'token_type_ids', Int32Array>>

const NAMES = ['input_ids', 'attention_mask', 'token_type_ids'] as const

/** Inputs of the rows from `first` on; rows and tokens that are missing are masked. */
export function feedsFor(inputs: ModelInputs, first: number, { batch, sequence }: FixedShape): Feeds {
  const rows = Math.min(batch, inputs.batch - first)
  const padded = (values: Int32Array): Int32Array => {
    const made = new Int32Array(batch * sequence)
    for (let row = 0; row < rows; row++) {
      const start = (first + row) * inputs.sequence
      made.set(values.subarray(start, start + inputs.sequence), row * sequence)
    }
    return made
  }
  return Object.fromEntries(NAMES.map((name) => [name, padded(inputs[name])])) as Feeds
}

/** Axes of a value that are tokens: one of `[B, S, w]`, two of `[B, N, S, S]`, and that of the logits of spans. */
function tokenAxes(name: string, shape: readonly number[]): readonly number[] {
  if (shape.length === 4) return [2, 3]
  if (shape.length === 3) return [1]
  return name === 'start_logits' || name === 'end_logits' ? [1] : []
}

/** The first `length` entries along `axis`. */
function cut({ shape, data }: NamedTensor, axis: number, length: number): NamedTensor {
  const size = shape[axis] ?? 1
  if (size === length) return { shape, data }
  const after = shape.slice(axis + 1).reduce((n, d) => n * d, 1)
  const before = data.length / (size * after)
  const kept = new Float32Array(before * length * after)
  for (let i = 0; i < before; i++)
    kept.set(data.subarray(i * size * after, (i * size + length) * after), i * length * after)
  return { shape: shape.map((d, at) => (at === axis ? length : d)), data: kept }
}

/** The value without padded tokens. */
export const withoutPadding = (name: string, value: NamedTensor, sequence: number): NamedTensor =>
  tokenAxes(name, value.shape).reduce((part, axis) => cut(part, axis, sequence), value)

/**
 * Runs `once` as often as the rows need, and puts what it gives together.
 * @param once one run; its values by name, rows first
 */
export async function runRows(
  inputs: ModelInputs,
  shape: FixedShape,
  once: (feeds: Feeds) => Promise<ReadonlyMap<string, NamedTensor>>,
): Promise<Map<string, NamedTensor>> {
  const parts = new Map<string, NamedTensor[]>()
  for (let first = 0; first < inputs.batch; first += shape.batch) {
    const rows = Math.min(shape.batch, inputs.batch - first)
    for (const [name, given] of await once(feedsFor(inputs, first, shape))) {
      // Logits of choices are rows as well.
      const value = shape.choices && name === 'logits' ? { ...given, shape: [shape.batch] } : given
      const part = cut(withoutPadding(name, value, inputs.sequence), 0, rows)
      const known = parts.get(name)
      if (known === undefined) parts.set(name, [part])
      else known.push(part)
    }
  }
  return new Map([...parts].map(([name, all]) => [name, joined(name, all, inputs, shape)]))
}

function joined(name: string, parts: readonly NamedTensor[], inputs: ModelInputs, shape: FixedShape): NamedTensor {
  const data = new Float32Array(parts.reduce((n, part) => n + part.data.length, 0))
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  if (shape.choices && name === 'logits') return { shape: inputShape(inputs, true).slice(0, 2), data }
  return { shape: [inputs.batch, ...(parts[0]?.shape.slice(1) ?? [])], data }
}
