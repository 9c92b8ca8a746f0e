import { afterAll, describe, expect, it } from 'vitest'
import { prepareModel } from '../../src/api/finetune/prepared-model.js'
import { buildGradients, forward, openModel, TrainOps } from '../../src/index.js'
import { openGraph } from '../../src/runtime/onnx/graph-session.js'
import { temporary } from '../helpers/faults.js'
import { writeTinyClassifier } from '../helpers/tiny-files.js'

const place = temporary()
afterAll(() => {
  place.remove()
})

const HEADS = { mlm: false, sop: false, classifier: true, qa: false }

describe('TrainOps', () => {
  it('gives the gradients of a loss of its user: the sum of squares of the logits', async () => {
    await writeTinyClassifier(place.at('model'))
    using opened = await openModel(place.at('model'))
    const { model, values } = prepareModel(opened, { task: 'classify', classes: 2, seed: 0, newHead: false })

    const ops = new TrainOps()
    const { logits } = forward(model, ops, ops.inputs, HEADS)
    if (logits === null) throw new Error('the model has no classifier')
    const loss = ops.writer.node('ReduceSum', [ops.math.multiply(logits, logits)], [])
    ops.tape.give(logits, () => ops.math.multiply(logits, ops.writer.scalar(2)))
    ops.tape.run()
    const gradients = [...ops.parameters].map(([parameter, value]) => ({
      parameter,
      gradient: ops.tape.gradientOf(value)!,
    }))
    const own = ops.toModel('own', [loss, ...gradients.map(({ gradient }) => gradient)])

    // The loss of a regression, its targets being 0, is the same one.
    const known = buildGradients(model, { heads: HEADS, loss: 'squared' })
    const [mine, its] = [await openGraph(own, 'own'), await openGraph(known.bytes, 'known')]
    const ids = (values: readonly number[]) => mine.ids(Int32Array.from(values), [2, 3])
    const feeds = {
      input_ids: ids([2, 5, 3, 2, 7, 3]),
      attention_mask: ids([1, 1, 1, 1, 1, 0]),
      token_type_ids: ids([0, 0, 1, 0, 0, 0]),
      ...Object.fromEntries(
        [...ops.parameters.keys()].map((parameter) => [
          parameter.slot,
          mine.floats(values.get(parameter)!, parameter.storedShape),
        ]),
      ),
    }
    const results = await mine.run(
      feeds,
      Object.fromEntries([loss, ...gradients.map((g) => g.gradient)].map((v) => [v.name, null])),
    )
    const targets = { targets: mine.floats(new Float32Array(4), [2, 2]), scale: mine.floats(Float32Array.of(1), []) }
    const expected = await its.run(
      { ...feeds, ...targets },
      Object.fromEntries([known.loss, ...known.gradients.map(({ output }) => output)].map((name) => [name, null])),
    )
    expect(results[loss.name]!.data[0]).toBeCloseTo(expected[known.loss]!.data[0]!, 6)
    expect(gradients.length).toBe(known.gradients.length)
    for (const { parameter, gradient } of gradients) {
      const { output } = known.gradients.find((one) => one.parameter === parameter)!
      expect(results[gradient.name]!.data, parameter.slot).toEqual(expected[output]!.data)
    }
    await mine.close()
    await its.close()
  })
})
