import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { prepareModel, type PreparedModel } from '../../src/api/finetune/prepared-model.js'
import { oneHot, type StepBatch } from '../../src/api/finetune/step-batch.js'
import { openTrainer } from '../../src/api/finetune/open-trainer.js'
import { ValuesSource } from '../../src/api/finetune/values-source.js'
import { openModel } from '../../src/api/open/open.js'
import { ACTIVATIONS } from '../../src/model/config.js'
import type { Parameter } from '../../src/model/albert.js'
import { forward } from '../../src/model/forward.js'
import { integers, ReferenceOps, type Tensor } from '../../src/model/reference/reference.js'
import { inputShape } from '../../src/model/reference/run.js'
import { headsFor, type ResolvedTask } from '../../src/model/tasks.js'
import { useCounts } from '../../src/model/tensors/read.js'
import { DROPOUT_LEVELS, dropoutKind, thresholdOf, type DropoutRates } from '../../src/training/dropout-sites.js'
import type { LossKind } from '../../src/training/loss.js'
import { DEFAULT_SETTINGS } from '../../src/training/optimizer.js'
import { familyRules } from '../../src/training/rules.js'
import { writeRandomModel, type Kind, type Shape } from '../helpers/random-model.js'
import { random } from '../helpers/tiny-model.js'

// Every gradient of the training graph against differences of a loss that the float64 reference computes.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-gradients-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const SHAPE: Shape = {
  layers: 3,
  groups: 1,
  inner: 1,
  hidden: 16,
  embedding: 6,
  intermediate: 24,
  sharing: 'all',
  preNorm: false,
  act: 'gelu_tanh',
  heads: ['classifier'],
  pooler: true,
}

interface Case {
  readonly kind: Kind
  readonly shape?: Partial<Shape>
  readonly task?: ResolvedTask
  readonly loss?: LossKind
  readonly dropout?: DropoutRates
}

const CASES: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    ACTIVATIONS.map((act): [string, Case] => [
      act,
      { kind: act === 'gelu_erf' ? 'hf bert' : 'hf albert', shape: { act } },
    ]),
  ),
  'zh post-LN': { kind: 'zh' },
  'zh pre-LN, nothing shared': { kind: 'zh', shape: { preNorm: true, sharing: 'none' } },
  'zh, attention shared': { kind: 'zh', shape: { sharing: 'attention' } },
  'google, groups of inner layers': { kind: 'google', shape: { groups: 2, inner: 2 } },
  'google_fast, grouped kernels': { kind: 'google_fast', shape: { hidden: 32, intermediate: 48, inner: 2 } },
  'own norms': { kind: 'own norms' },
  bert: { kind: 'bert' },
  tokens: { kind: 'hf bert', shape: { heads: ['token-classifier'] }, task: 'token-classification' },
  spans: { kind: 'google', shape: { heads: ['qa'] }, task: 'qa', loss: 'spans' },
  choices: { kind: 'hf albert', shape: { heads: ['multiple-choice'] }, task: 'multiple-choice' },
  'several labels': { kind: 'zh', loss: 'sigmoid' },
  regression: { kind: 'bert', loss: 'squared' },
  dropout: { kind: 'zh', dropout: { hidden: 0.2, attention: 0.3, classifier: 0.4 } },
}

/** Tasks whose output bias is added to all inputs of a softmax. */
const FREE_BIAS: readonly ResolvedTask[] = ['qa', 'multiple-choice']

const ROWS = 4
const LENGTH = 7
const CLASSES = 3

function makeBatch({ task = 'classify', loss = 'softmax' }: Case): StepBatch {
  const next = random(7)
  const choices = task === 'multiple-choice' ? 2 : 1
  const rows = ROWS * choices
  const ids = (limit: number) => Int32Array.from({ length: rows * LENGTH }, () => Math.floor(next() * limit))
  const attention_mask = Int32Array.from({ length: rows * LENGTH }, (_, i) => (i % LENGTH < 3 || next() < 0.7 ? 1 : 0))
  const inputs = {
    batch: rows,
    ...(choices === 1 ? {} : { choices }),
    sequence: LENGTH,
    input_ids: ids(12),
    attention_mask,
    token_type_ids: ids(2),
  }
  const labels = (count: number, limit: number) => Array.from({ length: count }, () => Math.floor(next() * limit))
  const floats = () =>
    Float32Array.from({ length: ROWS * CLASSES }, () => (loss === 'sigmoid' ? Math.round(next()) : next()))
  if (loss === 'spans') {
    const dims = [ROWS, LENGTH]
    const spans = () => ({ dims, data: oneHot(labels(ROWS, LENGTH), LENGTH) })
    return { inputs, targets: [spans(), spans()], count: 2 * ROWS }
  }
  if (loss !== 'softmax') return { inputs, targets: [{ dims: [ROWS, CLASSES], data: floats() }], count: ROWS * CLASSES }
  if (task === 'token-classification') {
    // Some tokens do not count.
    const tokens = labels(ROWS * LENGTH, CLASSES).map((label, i) => (i % 3 === 0 ? -1 : label))
    const count = tokens.filter((label) => label >= 0).length
    return { inputs, targets: [{ dims: [ROWS, LENGTH, CLASSES], data: oneHot(tokens, CLASSES) }], count }
  }
  const classes = task === 'multiple-choice' ? choices : CLASSES
  return { inputs, targets: [{ dims: [ROWS, classes], data: oneHot(labels(ROWS, classes), classes) }], count: ROWS }
}

/** The reference with dropout by given masks, in the order in which the training graph takes them. */
class MaskedReference extends ReferenceOps {
  #site = 0

  constructor(
    source: ValuesSource,
    uses: ReadonlyMap<Parameter, number>,
    readonly rates: DropoutRates | undefined,
    readonly masks: readonly Uint8Array[],
  ) {
    super(source, uses)
  }

  override inner(name: string, x: Tensor): Tensor {
    const kind = dropoutKind(this.names.path, name)
    if (kind === null || this.rates === undefined) return x
    const mask = this.masks[this.#site++]!
    const scale = DROPOUT_LEVELS / (DROPOUT_LEVELS - thresholdOf(this.rates[kind]))
    return { shape: x.shape, data: x.data.map((value, i) => value * mask[i]! * scale) }
  }
}

function crossEntropy(logits: Tensor, targets: Float32Array): number {
  const width = logits.shape.at(-1)!
  let loss = 0
  for (let start = 0; start < targets.length; start += width) {
    const row = logits.data.subarray(start, start + width)
    const most = Math.max(...row)
    const log = most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0))
    row.forEach((x, i) => (loss += targets[start + i]! * (log - x)))
  }
  return loss
}

function lossOf(kind: LossKind, batch: StepBatch, outputs: ReturnType<typeof forward<Tensor>>): number {
  const [targets, ends] = batch.targets.map(({ data }) => data) as [Float32Array, Float32Array]
  if (kind === 'spans')
    return (crossEntropy(outputs.start_logits!, targets) + crossEntropy(outputs.end_logits!, ends)) / batch.count
  const logits = outputs.logits!
  if (kind === 'softmax') return crossEntropy(logits, targets) / batch.count
  const term = (x: number, t: number) => (kind === 'sigmoid' ? Math.log1p(Math.exp(x)) - t * x : (x - t) ** 2)
  return logits.data.reduce((sum, x, i) => sum + term(x, targets[i]!), 0) / batch.count
}

/** Loss in float64 with other values of one parameter. */
function reference(
  { model, values }: PreparedModel,
  { task = 'classify', loss = 'softmax', dropout }: Case,
  batch: StepBatch,
  masks: readonly Uint8Array[],
  [changed, to]: readonly [Parameter, Float32Array],
): number {
  const held = [...values].map(([p, data]) => ({
    name: p.variable,
    dtype: 'F32' as const,
    shape: p.storedShape,
    data: p === changed ? to : data,
  }))
  const ops = new MaskedReference(new ValuesSource(held), useCounts(model), dropout, masks)
  const { inputs } = batch
  const shape = inputShape(inputs, task === 'multiple-choice')
  const given = {
    input_ids: integers(inputs.input_ids, shape),
    attention_mask: integers(inputs.attention_mask, shape),
    token_type_ids: integers(inputs.token_type_ids, shape),
  }
  return lossOf(loss, batch, forward(model, ops, given, headsFor(task)))
}

describe.each(Object.entries(CASES))('gradients: %s', (name, given) => {
  it('agree with differences in float64', async () => {
    const { kind, task = 'classify', loss = 'softmax', dropout } = given
    const path = join(folder, name)
    await writeRandomModel(path, kind, { ...SHAPE, ...given.shape }, 0.3)
    using opened = await openModel(path, { task })
    const prepared = prepareModel(opened, { task, classes: null, seed: 0 })
    expect(prepared.created).toEqual([])
    const batch = makeBatch(given)
    const masks: Uint8Array[] = []
    const next = random(3)
    const trainer = await openTrainer(prepared.model, prepared.values, {
      heads: headsFor(task),
      loss,
      settings: DEFAULT_SETTINGS,
      rules: familyRules('hf'),
      ...(dropout === undefined ? {} : { dropout }),
      fillMask: (mask, { index, threshold }) => {
        mask.forEach((_, i) => (mask[i] = next() < threshold / DROPOUT_LEVELS ? 0 : 1))
        masks[index] = mask.slice()
      },
    })
    const result = await trainer.computeGradients([batch], 0)
    const first = trainer.trained[0]!.parameter
    const exact = reference(prepared, given, batch, masks, [first, prepared.values.get(first)!])
    expect(Math.abs(result.loss - exact)).toBeLessThan(1e-5)
    const gradients = await trainer.readGradients()
    expect(gradients.size).toBe(
      prepared.values.size - (task === 'qa' || task === 'token-classification' ? unusedOf(prepared) : 0),
    )
    const sign = random(11)
    for (const [parameter, gradient] of gradients) {
      const values = prepared.values.get(parameter)!
      // All elements move at once, each in its own random direction.
      const step = values.map(() => (sign() < 0.5 ? -1 : 1) * 2 ** -18)
      const [up, down] = [1, -1].map((way) => values.map((x, i) => x + way * step[i]!)) as [Float32Array, Float32Array]
      const lossAt = (at: Float32Array) => reference(prepared, given, batch, masks, [parameter, at])
      const measured = lossAt(up) - lossAt(down)
      const expected = gradient.reduce((sum, g, i) => sum + g * (up[i]! - down[i]!), 0)
      const size = gradient.reduce((sum, g, i) => sum + Math.abs(g * (up[i]! - down[i]!)), 0)
      expect(Math.abs(measured - expected), parameter.slot).toBeLessThan(1e-4 * size + 1e-11)
      // A softmax does not change if a number is added to all its inputs: these gradients are rounding noise.
      const isFree =
        parameter.slot.endsWith('key/bias') || (parameter.slot.endsWith('_bias') && FREE_BIAS.includes(task))
      if (!isFree) expect(Math.max(...gradient.map(Math.abs)), parameter.slot).toBeGreaterThan(1e-6)
    }
    await trainer.close()
  })
})

/** Parameters of the pooler, which heads of tokens do not use. */
const unusedOf = ({ model }: PreparedModel): number => (model.pooler === null ? 0 : 2)

describe('the gradient of a lookup', () => {
  it('is exact with four threads if one id occurs a thousand times', async () => {
    const path = join(folder, 'repeated')
    await writeRandomModel(path, 'bert', SHAPE, 0.3)
    using opened = await openModel(path)
    const prepared = prepareModel(opened, { task: 'classify', classes: null, seed: 0 })
    const rows = 200
    const inputs = {
      batch: rows,
      sequence: LENGTH,
      input_ids: new Int32Array(rows * LENGTH).fill(5),
      attention_mask: new Int32Array(rows * LENGTH).fill(1),
      token_type_ids: new Int32Array(rows * LENGTH),
    }
    const labels = Array.from({ length: rows }, (_, i) => i % CLASSES)
    const batch = { inputs, targets: [{ dims: [rows, CLASSES], data: oneHot(labels, CLASSES) }], count: rows }
    const trainers = await Promise.all(
      [1, 4].map((threads) =>
        openTrainer(prepared.model, prepared.values, {
          heads: headsFor('classify'),
          loss: 'softmax',
          settings: DEFAULT_SETTINGS,
          rules: familyRules('bert'),
          threads,
        }),
      ),
    )
    const { word } = prepared.model.embeddings
    const [one] = await Promise.all(trainers.map((trainer) => trainer.computeGradients([batch], 0)))
    const wanted = (await trainers[0]!.readGradients()).get(word)!.slice()
    expect(wanted.some((g) => g !== 0)).toBe(true)
    for (let run = 0; run < 20; run++) {
      const again = await trainers[1]!.computeGradients([batch], 0)
      expect(again.loss).toBe(one!.loss)
      expect((await trainers[1]!.readGradients()).get(word)).toEqual(wanted)
    }
    for (const trainer of trainers) await trainer.close()
  })
})
