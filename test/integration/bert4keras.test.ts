import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { diffModels } from '../../src/api/diff/diff.js'
import { openModel } from '../../src/api/open/open.js'
import { verifyOpened } from '../../src/api/verify/verify.js'
import { leftoverOf } from '../../src/model/load/leftover.js'
import { identify } from '../../src/model/names/identify.js'
import { numberWithin } from '../../src/formats/hdf5/numbered.js'

/** Files of bert4keras as its `save_weights` writes them (test/oracle/make_bert4keras.py), equal to what it computed. */

const FIXTURES = fileURLToPath(new URL('../fixtures/formats/bert4keras', import.meta.url))
const out = mkdtempSync(join(tmpdir(), 'albertkit-bert4keras-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

const MODELS = [
  ['bert_mlm', 'bert4keras BERT', ['last_hidden_state', 'prediction_logits']],
  ['bert_nsp', 'bert4keras BERT', ['last_hidden_state', 'pooler_output', 'sop_logits']],
  ['albert', 'bert4keras ALBERT', ['last_hidden_state', 'pooler_output', 'prediction_logits']],
] as const

describe('models of bert4keras', () => {
  it.each(MODELS)('%s equals its golden', async (name, title, outputs) => {
    const opened = await openModel(join(FIXTURES, name))
    const report = await verifyOpened(opened, null, { golden: join(FIXTURES, name, 'golden.safetensors') })
    expect(opened.identification.table.title).toBe(title)
    expect([opened.identification.unknown, opened.leftOut]).toEqual([[], []])
    expect(opened.notes.join()).toContain('set_gelu')
    // backend.py and models.py, whatever the configuration says.
    expect(opened.config).toMatchObject({ hidden_act: 'gelu_erf', layer_norm_eps: 1e-12 })
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    expect([...new Set(report.comparisons.map((c) => c.output))].sort()).toEqual([...outputs].sort())
    opened.close()
  })

  it.each(MODELS)('%s converts, and the artefacts equal it', async (name) => {
    const directory = join(out, name)
    const report = await convertModel(join(FIXTURES, name), directory, { targets: ['onnx', 'tfjs', 'safetensors'] })
    expect(report.ok).toBe(true)
    const opened = await openModel(join(FIXTURES, name))
    const verified = await verifyOpened(opened, directory, { golden: join(FIXTURES, name, 'golden.safetensors') })
    opened.close()
    expect(verified.comparisons.filter((c) => !c.ok)).toEqual([])
    expect(verified.weights.every((w) => w.ok)).toBe(true)
  })

  it('are the same under the numbers of Keras 2', async () => {
    const file = join(out, 'best_model.weights')
    copyFileSync(join(FIXTURES, 'keras2.weights'), file)
    copyFileSync(join(FIXTURES, 'bert_mlm/bert_config.json'), join(out, 'bert_config.json'))
    const report = await diffModels(file, join(FIXTURES, 'bert_mlm'))
    expect(report.ok).toBe(true)
  })
})

describe('a variable more in a file of bert4keras', () => {
  it.each([
    ['Transformer-0-Adapter/Transformer-0-Adapter/kernel:0', 'inside'],
    ['Transformer-1-MultiHeadSelfAttention/Transformer-1-MultiHeadSelfAttention/lora/kernel:0', 'inside'],
    ['Embedding-Task/Embedding-Task/embeddings:0', 'inside'],
    ['dense_73/dense_73/kernel:0', 'outside'],
    ['conditional_random_field_1/conditional_random_field_1/trans:0', 'outside'],
  ] as const)('stands where its name says: %s', async (name, place) => {
    const opened = await openModel(join(FIXTURES, 'bert_mlm'))
    const [own] = opened.source.tensors.values()
    const source = { ...opened.source, tensors: new Map([...opened.source.tensors, [name, { ...own!, name }]]) }
    expect(leftoverOf(source, identify(source))[place]).toEqual([name])
    opened.close()
  })
})

describe('Dense layers without names', () => {
  it('are counted within the layer that made them', () => {
    const numbered = (numbers: readonly number[], layer = 'a/a/'): Record<string, string> =>
      Object.fromEntries(numberWithin(numbers.map((n) => `${layer}dense${n === 0 ? '' : `_${n}`}/kernel:0`)))
    expect(numbered([0, 1, 2, 3])).toEqual({})
    expect(numbered([9, 10])).toEqual({
      'a/a/dense_9/kernel:0': 'a/a/dense/kernel:0',
      'a/a/dense_10/kernel:0': 'a/a/dense_1/kernel:0',
    })
    // One alone keeps its name, and so do groups that stand below one.
    expect(numbered([73])).toEqual({})
    expect([...numberWithin(['layers/dense_3/vars/0', 'layers/dense_7/vars/0'])]).toEqual([])
  })
})
