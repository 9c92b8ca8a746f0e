import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../../src/api/open/open.js'
import { defaultInputs, drawInputs } from '../../../src/compare/sample-inputs.js'
import { runAll, runReference, type ModelInputs } from '../../../src/model/reference/run.js'
import { ALL_HEADS } from '../../../src/model/tasks.js'
import { writeRandomModel } from '../../helpers/random-model.js'

const SHAPE = {
  layers: 2,
  groups: 1,
  inner: 1,
  hidden: 24,
  embedding: 8,
  intermediate: 40,
  sharing: 'all',
  preNorm: false,
  act: 'gelu_tanh',
  pooler: true,
} as const

const out = mkdtempSync(join(tmpdir(), 'albertkit-together-'))
afterAll(() => {
  rmSync(out, { recursive: true })
})

describe('inputs that the reference computes together', () => {
  it.each([['mlm', 'sop'], ['classifier'], ['multiple-choice'], ['token-classifier'], ['qa']] as const)(
    'have the values of each alone, bit for bit: %s',
    async (...heads) => {
      const directory = join(out, heads.join('-'))
      await writeRandomModel(directory, 'google', { ...SHAPE, heads })
      const opened = await openModel(directory)
      try {
        const { model, source } = opened
        const drawn = [...defaultInputs(model, ALL_HEADS).inputs]
        const asChoices = (x: ModelInputs): ModelInputs =>
          heads[0] === 'multiple-choice' ? { ...x, choices: x.batch } : x
        drawn.splice(1, 0, { ...asChoices(drawInputs(model, 2, 5, 8)), withoutMlm: true })
        expect(drawn.length).toBeGreaterThan(3)
        const together = runAll(opened, { inputs: drawn, heads: ALL_HEADS })
        expect(together).toEqual(drawn.map((x) => runReference(model, source, x, ALL_HEADS)))
        expect(together.map((values) => values.has('prediction_logits'))).toEqual(
          drawn.map((x) => heads[0] === 'mlm' && x.withoutMlm !== true),
        )
      } finally {
        opened.close()
      }
    },
  )
})
