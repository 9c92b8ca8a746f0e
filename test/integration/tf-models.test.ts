import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { diffModels } from '../../src/api/diff/diff.js'
import { openModel } from '../../src/api/open/open.js'
import { countModels } from '../../src/api/params/params.js'
import { verifyModel, verifyOpened } from '../../src/api/verify/verify.js'
import { headsOf } from '../../src/model/outputs.js'

/** BertPretrainerV2 of tf-models with its next-sentence head, as tf.train.Checkpoint saves it (test/oracle/make_tf_models.py). */

const FIXTURES = fileURLToPath(new URL('../fixtures/formats/tf-models', import.meta.url))
const out = mkdtempSync(join(tmpdir(), 'albertkit-tf-models-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

describe.each([
  ['albert_pretrainer', 'tf-models ALBERT (Keras, TF-Hub)'],
  ['bert_pretrainer', 'tf-models BERT (Keras, TF-Hub)'],
])('%s', (name, title) => {
  const folder = join(FIXTURES, name)
  const golden = join(folder, 'golden.safetensors')

  it('equals its golden, the pooler of the encoder and that of the head', async () => {
    const opened = await openModel(folder)
    expect(opened.identification.table.title).toBe(title)
    expect(opened.identification.unknown).toEqual([])
    const report = await verifyOpened(opened, null, { golden })
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    const compared = report.comparisons.map((c) => c.output)
    for (const output of ['pooled_output', 'sop_logits', 'mlm_logits']) expect(compared).toContain(output)
    opened.close()
  })

  it('converts, and the artefacts equal it', async () => {
    const directory = join(out, name)
    expect((await convertModel(folder, directory, { targets: ['onnx', 'tfjs'] })).ok).toBe(true)
    const again = await openModel(join(directory, 'onnx/model.onnx'))
    const report = await verifyOpened(again, null, { golden })
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    expect(report.comparisons.map((c) => c.output)).toContain('sop_logits')
    again.close()
  })

  it('is counted with both poolers', async () => {
    const { columns } = await countModels({ models: [folder], workload: { sequence: 8 } })
    expect(columns[0]?.agreement?.differences).toEqual([])
  })

  it('is refused if the other code has one pooler', async () => {
    await expect(convertModel(folder, join(out, `${name}-hf`), { targets: ['safetensors'] })).rejects.toMatchObject({
      kind: 'unsupported',
      place: { tensor: 'bert/next_sentence/pooler_dense/kernel' },
    })
  })
})

/** Heads of its other models; each is saved with the pooler of the encoder, used or not. */
describe.each([
  ['albert_classifier', 'ckpt', ['logits'], 'classifier', ['onnx', 'tfjs']],
  ['bert_classifier', 'weights.h5', ['logits'], 'classifier', ['onnx', 'safetensors']],
  ['albert_tokens', 'ckpt', ['logits'], 'token-classifier', ['onnx', 'safetensors']],
  ['bert_spans', 'ckpt', ['start_logits', 'end_logits'], 'qa', ['onnx', 'safetensors']],
  ['albert_spans', 'weights.h5', ['start_logits', 'end_logits'], 'qa', ['onnx', 'safetensors']],
] as const)('%s', (name, file, outputs, head, targets) => {
  const folder = join(FIXTURES, name)
  const golden = join(folder, 'golden.safetensors')

  it('equals its golden with its head', async () => {
    const opened = await openModel(join(folder, file))
    expect(opened.identification.unknown).toEqual([])
    expect(headsOf(opened.model)).toEqual([head])
    const report = await verifyOpened(opened, null, { golden })
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    const compared = report.comparisons.map((c) => c.output)
    for (const output of ['pooled_output', ...outputs]) expect(compared).toContain(output)
    opened.close()
  })

  it('converts, and what was written equals it', async () => {
    const directory = join(out, name)
    expect((await convertModel(join(folder, file), directory, { targets })).ok).toBe(true)
    for (const target of targets) {
      const written = { onnx: 'onnx/model.onnx', tfjs: 'tfjs', safetensors: '' }[target]
      const report = await verifyModel(join(directory, written), null, { golden, runners: ['reference'] })
      expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
      expect(report.comparisons.map((c) => c.output)).toEqual(expect.arrayContaining([...outputs]))
      const { ok, counts } = await diffModels(join(folder, file), join(directory, written))
      expect({ ok, differs: counts.differs }).toEqual({ ok: true, differs: 0 })
    }
  })

  it('is counted as its configuration says', async () => {
    const { columns } = await countModels({ models: [join(folder, file)], workload: { sequence: 8 } })
    expect(columns[0]?.agreement?.differences).toEqual([])
  })
})

it.each(['safetensors', 'tf'] as const)(
  'a classifier with a separate pooler cannot be written as %s',
  async (target) => {
    const model = join(FIXTURES, 'albert_classifier/ckpt')
    const said = convertModel(model, join(out, `albert_classifier-${target}`), { targets: [target] })
    await expect(said).rejects.toMatchObject({
      kind: 'unsupported',
      place: { tensor: 'sentence_prediction/pooler_dense/kernel' },
    })
  },
)
