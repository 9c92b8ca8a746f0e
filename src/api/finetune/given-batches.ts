import { malformed } from '../../base/errors.js'
import { checkInputs, integersOf, readValues } from '../../compare/golden.js'
import type { Values } from '../../compare/compare.js'
import type { TensorSource } from '../../formats/core/source.js'
import type { AlbertModel } from '../../model/albert.js'
import type { ModelInputs } from '../../model/reference/run.js'
import type { ResolvedTask } from '../../model/tasks.js'
import type { LossKind } from '../../training/loss.js'
import { oneHot, type StepBatch, type Targets } from './step-batch.js'

/**
 * Batches that are ready for the model, in one safetensors file: tensors `input_ids_<n>` … of step n, counted from 0.
 * Their labels determine the task: `label_ids_<n> [B]` integers are classes of sequences (or of choices, for ids
 * `[B, C, S]`), `[B, S]` those of tokens, of which negative ones do not count; floats `[B]` are values of a regression,
 * `[B, N]` the classes that are not exclusive; `start_positions_<n>` and `end_positions_<n>` are those of answers.
 */

const NAMES = {
  ids: ['input_ids'],
  mask: ['input_mask', 'attention_mask'],
  types: ['segment_ids', 'token_type_ids'],
  labels: ['label_ids', 'labels', 'label'],
  starts: ['start_positions', 'start_position'],
  ends: ['end_positions', 'end_position'],
} as const

/** Kind of the labels of a file. */
export interface GivenTask {
  readonly task: ResolvedTask
  readonly loss: LossKind
}

export class GivenBatches {
  readonly file: string

  constructor(readonly source: TensorSource) {
    this.file = source.files[0] ?? ''
  }

  /** Number of steps: batches numbered from 0 without a gap. */
  get count(): number {
    let count = 0
    while (this.#find('ids', count) !== null) count++
    return count
  }

  #name(kind: keyof typeof NAMES, step: number): string | null {
    return NAMES[kind].map((name) => `${name}_${step}`).find((name) => this.source.tensors.has(name)) ?? null
  }

  #find(kind: keyof typeof NAMES, step: number): Values | null {
    const name = this.#name(kind, step)
    return name === null ? null : readValues(this.source, name)
  }

  #fail(message: string, tensor: string): Error {
    return malformed(message, { code: 'shape-mismatch', file: this.file, tensor })
  }

  /** Task of the first batch's labels. @throws AlbertkitError `malformed` if there is no batch or no label */
  get task(): GivenTask {
    if (this.#find('starts', 0) !== null) return { task: 'qa', loss: 'spans' }
    const labels = this.#find('labels', 0)
    const ids = this.#find('ids', 0)
    if (ids === null || labels === null)
      throw malformed(`the file has no ${ids === null ? 'input_ids_0' : 'label_ids_0'}`, {
        code: 'tensor-missing',
        file: this.file,
        hint: 'batches are tensors input_ids_<n>, input_mask_<n>, segment_ids_<n>, label_ids_<n>, n counted from 0',
      })
    const isFloat = this.source.tensors.get(this.#name('labels', 0)!)!.dtype.includes('F')
    if (isFloat) return { task: 'classify', loss: labels.shape.length === 2 ? 'sigmoid' : 'squared' }
    if (labels.shape.length === 2) return { task: 'token-classification', loss: 'softmax' }
    return { task: ids.shape.length === 3 ? 'multiple-choice' : 'classify', loss: 'softmax' }
  }

  #inputs(model: AlbertModel, step: number): { inputs: ModelInputs; shape: readonly number[] } {
    const ids = this.#find('ids', step)
    if (ids === null)
      throw malformed(`the file has no batch ${step}`, {
        code: 'tensor-missing',
        file: this.file,
        tensor: `input_ids_${step}`,
        hint: `it has ${this.count} batches`,
      })
    const { shape } = ids
    const read = (kind: 'mask' | 'types', otherwise: 0 | 1): Int32Array => {
      const values = this.#find(kind, step)
      if (values === null) return new Int32Array(ids.data.length).fill(otherwise)
      const name = this.#name(kind, step)!
      if (values.shape.join() !== shape.join())
        throw this.#fail(`the shape is [${values.shape.join(', ')}], that of the ids [${shape.join(', ')}]`, name)
      return integersOf(values, name, this.file)
    }
    const inputs: ModelInputs = {
      batch: shape.slice(0, -1).reduce((a, b) => a * b, 1),
      ...(shape.length === 3 ? { choices: shape[1] ?? 1 } : {}),
      sequence: shape[shape.length - 1] ?? 0,
      input_ids: integersOf(ids, `input_ids_${step}`, this.file),
      attention_mask: read('mask', 1),
      token_type_ids: read('types', 0),
    }
    checkInputs(model, inputs, this.file)
    return { inputs, shape }
  }

  #labels(kind: 'labels' | 'starts' | 'ends', step: number, dims: readonly number[], limit: number): Targets {
    const values = this.#find(kind, step)
    const name = this.#name(kind, step) ?? `${NAMES[kind][0]}_${step}`
    if (values === null)
      throw malformed(`the file has no ${name}`, { code: 'tensor-missing', file: this.file, tensor: name })
    const wanted = dims.slice(0, -1)
    if (values.shape.join() !== wanted.join())
      throw this.#fail(`the shape is [${values.shape.join(', ')}], not [${wanted.join(', ')}]`, name)
    const labels = integersOf(values, name, this.file)
    const wrong = labels.find((label) => label >= limit)
    if (wrong !== undefined)
      throw malformed(`label ${wrong} is not below ${limit}`, {
        code: 'value-invalid',
        file: this.file,
        tensor: name,
      })
    return { dims, data: oneHot(labels, limit) }
  }

  /** Reads the batch of a step. @throws AlbertkitError `malformed` */
  read(model: AlbertModel, step: number, { loss }: GivenTask): StepBatch {
    const { inputs, shape } = this.#inputs(model, step)
    const rows = shape[0] ?? 0
    const classes = model.classifier?.weight.shape[0] ?? 1
    if (loss === 'spans') {
      const { sequence } = inputs
      const dims = [rows, sequence]
      // The mean of the two losses: each counts half.
      const targets = (['starts', 'ends'] as const).map((kind) => this.#labels(kind, step, dims, sequence))
      return { inputs, targets, count: 2 * rows }
    }
    if (loss !== 'softmax') {
      const values = this.#find('labels', step)!
      const dims = [rows, classes]
      if (values.data.length !== rows * classes)
        throw this.#fail(`the shape is [${values.shape.join(', ')}], not [${dims.join(', ')}]`, `label_ids_${step}`)
      return { inputs, targets: [{ dims, data: Float32Array.from(values.data) }], count: values.data.length }
    }
    const { kind } = model.classifier!
    const perRow = kind === 'choice' ? (shape[1] ?? 1) : classes
    const dims = kind === 'token' ? [rows, inputs.sequence, classes] : [rows, perRow]
    const targets = this.#labels('labels', step, dims, perRow)
    return {
      inputs,
      targets: [targets],
      count: Math.max(
        1,
        targets.data.reduce((sum, one) => sum + one, 0),
      ),
    }
  }

  /** Classes of the labels, if the source has no head for them: as many as occur, at least two. */
  classes({ loss, task }: GivenTask, declared: number | undefined): number | null {
    if (task === 'qa' || task === 'multiple-choice') return null
    if (declared !== undefined) return declared
    const shapes = this.#find('labels', 0)!
    if (loss === 'sigmoid') return shapes.shape[1] ?? 1
    return loss === 'squared' ? 1 : null
  }
}
