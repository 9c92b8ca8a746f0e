import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { diffModels } from '../../src/api/diff/diff.js'
import { convertModel } from '../../src/api/convert/convert.js'
import { openModel } from '../../src/api/open/open.js'
import { verifyOpened } from '../../src/api/verify/verify.js'
import { albertkit } from '../helpers/run.js'

/** transformers' TensorFlow models (test/oracle/make_tf_h5.py): every head, equal to what TensorFlow computed. */

const FIXTURES = fileURLToPath(new URL('../fixtures/formats/h5', import.meta.url))
const NAMES = readdirSync(FIXTURES)
const out = mkdtempSync(join(tmpdir(), 'albertkit-h5-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

const heads: readonly (readonly [RegExp, string])[] = [
  [/PreTraining$/, 'prediction_logits'],
  [/PreTraining$|NextSentencePrediction$/, 'sop_logits'],
  [/MaskedLM$/, 'prediction_logits'],
  [/Classification$|MultipleChoice$/, 'logits'],
  [/QuestionAnswering$/, 'end_logits'],
]

describe('tf_model.h5 of transformers', () => {
  it.each(NAMES)('%s equals its golden', async (name) => {
    const folder = join(FIXTURES, name)
    const opened = await openModel(folder)
    const report = await verifyOpened(opened, null, { golden: join(folder, 'golden.safetensors') })
    expect(opened.identification.table.title).toMatch(/for TensorFlow$/)
    expect(opened.identification.unknown).toEqual([])
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    const compared = new Set(report.comparisons.map((c) => c.output))
    for (const [pattern, output] of heads) if (pattern.test(name)) expect([...compared]).toContain(output)
    opened.close()
  })

  it('there is one of every class', () => {
    expect(NAMES).toHaveLength(15)
  })

  it.each(['TFAlbertForPreTraining', 'TFBertForMultipleChoice'])(
    '%s converts, and the artefacts equal it',
    async (name) => {
      const directory = join(out, name)
      const report = await convertModel(join(FIXTURES, name), directory, {
        targets: ['onnx', 'tfjs', 'safetensors'],
      })
      expect(report.ok).toBe(true)
      const opened = await openModel(join(FIXTURES, name))
      const golden = join(FIXTURES, name, 'golden.safetensors')
      const verified = await verifyOpened(opened, directory, { golden })
      expect(verified.comparisons.filter((c) => !c.ok)).toEqual([])
      expect(verified.weights.every((w) => w.ok)).toBe(true)
      opened.close()
      const same = await diffModels(join(FIXTURES, name), join(directory, 'model.safetensors'))
      expect(same.ok).toBe(true)
    },
  )

  it('shards that an index names are one model', async () => {
    const from = join(FIXTURES, 'TFBertModel')
    const folder = join(out, 'sharded')
    cpSync(from, folder, { recursive: true })
    rmSync(join(folder, 'tf_model.h5'))
    const shard = 'tf_model-00001-of-00001.h5'
    cpSync(join(from, 'tf_model.h5'), join(folder, shard))
    const map = { metadata: {}, weight_map: { 'bert/pooler/dense/bias:0': shard } }
    writeFileSync(join(folder, 'tf_model.h5.index.json'), JSON.stringify(map))
    expect((await diffModels(from, folder)).ok).toBe(true)
  })
})

describe('by the command line', () => {
  it('inspect lists the datasets', async () => {
    const { code, stdout } = await albertkit(['inspect', join(FIXTURES, 'TFBertModel/tf_model.h5'), '--json'])
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as { format: string; variables: { name: string; slot: string | null }[] }
    expect(report.format).toBe('hdf5')
    expect(report.variables).toContainEqual(
      expect.objectContaining({
        name: 'bert/tf_bert_model/bert/pooler/dense/bias:0',
        slot: 'pooler/dense/bias',
        shape: [8],
      }),
    )
  })

  it('a damaged file ends with 3, in one line, and nothing of the library shows', async () => {
    const path = join(out, 'damaged.h5')
    const bytes = readFileSync(join(FIXTURES, 'TFBertModel/tf_model.h5'))
    writeFileSync(path, bytes.subarray(0, 5000))
    const { code, stdout, stderr } = await albertkit(['inspect', path])
    expect(code).toBe(3)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^error: /)
    expect(stderr).not.toMatch(/HDF5-DIAG|^\s+at |major:/m)
  })
})
