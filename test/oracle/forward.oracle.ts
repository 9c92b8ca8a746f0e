import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parametersOf, readLogical } from '../../src/model/tensors/read.js'
import { FORWARD_CASES, forwardCase, type ForwardCase } from '../helpers/forward-cases.js'
import { ask, TRANSFORMERS } from './python.js'

/** The recorded values that test/model compares with; ALBERTKIT_RECORD=1 writes them anew. */
const RECORDED = fileURLToPath(new URL('../helpers/forward-goldens.json', import.meta.url))

function request(name: ForwardCase): object {
  const { model, source, inputs } = forwardCase(name)
  const { batch, sequence, input_ids, attention_mask, token_type_ids } = inputs
  const rows = (values: Int32Array): number[][] =>
    Array.from({ length: batch }, (_, row) => [...values.subarray(row * sequence, (row + 1) * sequence)])
  const weights = [...parametersOf(model)].map((p) => [p.slot, { shape: p.shape, data: [...readLogical(source, p)] }])
  return {
    config: { ...model.config, kind: model.classifier?.kind },
    weights: Object.fromEntries(weights) as object,
    inputs: {
      input_ids: rows(input_ids),
      attention_mask: rows(attention_mask),
      token_type_ids: rows(token_type_ids),
    },
  }
}

it.skipIf(TRANSFORMERS === null)('PyTorch still computes what is recorded of small models', () => {
  const answers = ask(TRANSFORMERS!, 'run_tiny_models.py', { cases: FORWARD_CASES.map(request) }) as object[]
  const named = Object.fromEntries(FORWARD_CASES.map((name, i) => [name, answers[i]]))
  // Nine digits: PyTorch sums in another order on other machines.
  const text = JSON.stringify(named, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(9)) : value,
  )
  if (process.env.ALBERTKIT_RECORD === '1') writeFileSync(RECORDED, `${text}\n`)
  const close = (value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? (expect.closeTo(value, 7) as unknown) : value
  const recorded: unknown = JSON.parse(readFileSync(RECORDED, 'utf8'), (_, value: unknown) => close(value))
  expect(JSON.parse(text)).toEqual(recorded)
})
