import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { diffModels } from '../../src/api/diff/diff.js'
import { openModel, type OpenModelOptions } from '../../src/api/open/open.js'
import { verifyOpened } from '../../src/api/verify/verify.js'
import type { AlbertkitError } from '../../src/base/errors.js'

/** Files of Keras 3 as keras-hub writes them (test/oracle/make_keras.py), equal to what keras-hub computed. */

const FIXTURES = fileURLToPath(new URL('../fixtures/formats/keras', import.meta.url))
const out = mkdtempSync(join(tmpdir(), 'albertkit-keras-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

const pathOf = (name: string): string => {
  const file = join(FIXTURES, name, 'model.keras')
  return existsSync(file) ? file : join(FIXTURES, name)
}
const goldenOf = (name: string): string => join(FIXTURES, name, 'golden.safetensors')

function written(name: string, content: unknown): string {
  const file = join(out, name)
  writeFileSync(file, JSON.stringify(content))
  return file
}

/** A copy of a fixture with another text in one of its files. */
function edited(name: string, fixture: string, file: string, edit: (text: string) => string): string {
  const folder = join(out, name)
  cpSync(join(FIXTURES, fixture), folder, { recursive: true })
  const text = readFileSync(join(folder, file), 'utf8')
  expect(edit(text)).not.toBe(text)
  writeFileSync(join(folder, file), edit(text))
  return folder
}

const failure = async (path: string, options?: OpenModelOptions): Promise<AlbertkitError> =>
  openModel(path, options).then(
    () => expect.unreachable('it opened'),
    (error: unknown) => error as AlbertkitError,
  )

/** Name, title, and the output that only its head has. */
const MODELS = [
  ['albert_backbone_groups', 'keras-hub ALBERT', 'pooler_output'],
  ['albert_backbone_sharded', 'keras-hub ALBERT', 'pooler_output'],
  ['albert_classifier_preset', 'keras-hub ALBERT', 'logits'],
  ['albert_classifier_trained', 'keras-hub ALBERT', 'logits'],
  ['albert_masked_lm_keras', 'keras-hub ALBERT', 'prediction_logits'],
  ['bert_backbone_weights', 'keras-hub BERT', 'pooler_output'],
  ['bert_classifier_keras', 'keras-hub BERT', 'logits'],
  ['bert_masked_lm_preset', 'keras-hub BERT', 'prediction_logits'],
] as const

describe('models of keras-hub', () => {
  it.each(MODELS)('%s equals its golden', async (name, title, output) => {
    const opened = await openModel(pathOf(name))
    const report = await verifyOpened(opened, null, { golden: goldenOf(name) })
    expect(opened.identification.table.title).toBe(title)
    expect(opened.identification.unknown).toEqual([])
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    expect(report.comparisons.map((c) => c.output)).toContain(output)
    opened.close()
  })

  it.each(['albert_backbone_groups', 'albert_classifier_preset', 'bert_classifier_keras'])(
    '%s converts, and the artefacts equal it',
    async (name) => {
      const directory = join(out, name)
      const report = await convertModel(pathOf(name), directory, { targets: ['onnx', 'tfjs', 'safetensors'] })
      expect(report.ok).toBe(true)
      const opened = await openModel(pathOf(name))
      const verified = await verifyOpened(opened, directory, { golden: goldenOf(name) })
      expect(verified.comparisons.filter((c) => !c.ok)).toEqual([])
      expect(verified.weights.every((w) => w.ok)).toBe(true)
      opened.close()
      expect((await diffModels(pathOf(name), join(directory, 'model.safetensors'))).ok).toBe(true)
    },
  )

  it('goes to the names of TensorFlow and back', async () => {
    const directory = join(out, 'to-tf')
    await convertModel(pathOf('albert_backbone_sharded'), directory, { targets: ['tf'] })
    expect((await diffModels(pathOf('albert_backbone_sharded'), join(directory, 'tf'))).ok).toBe(true)
  })
})

describe('the masked-token head', () => {
  it.each(['albert_masked_lm_keras', 'bert_masked_lm_preset'])(
    '%s has settings of its own, which artefacts keep',
    async (name) => {
      const directory = join(out, name)
      expect((await convertModel(pathOf(name), directory, { targets: ['onnx', 'tfjs'] })).ok).toBe(true)
      const again = await openModel(join(directory, 'onnx/model.onnx'))
      const report = await verifyOpened(again, null, { golden: goldenOf(name) })
      expect(again.config.mlm_head?.layer_norm_eps).toBe(1e-5)
      expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
      again.close()
    },
  )

  it('is refused if the other code has one setting for all', async () => {
    const convert = (name: string, target: 'safetensors' | 'tf') =>
      convertModel(pathOf(name), join(out, `refused-${target}`), { targets: [target] })
    await expect(convert('albert_masked_lm_keras', 'safetensors')).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('epsilon 0.00001') as string,
      hint: expect.stringContaining('`layerNormEpsilon` 1e-12') as string,
    })
    await expect(convert('bert_masked_lm_preset', 'tf')).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('gelu_erf') as string,
    })
  })

  it('is converted with one epsilon if that is requested', async () => {
    const directory = join(out, 'one-epsilon')
    const report = await convertModel(pathOf('albert_masked_lm_keras'), directory, {
      targets: ['safetensors'],
      layerNormEpsilon: 1e-12,
    })
    expect(report.ok).toBe(true)
    const diff = await diffModels(pathOf('albert_masked_lm_keras'), join(directory, 'model.safetensors'))
    expect(diff.config).toEqual([{ field: 'mlm_head.layer_norm_eps', a: 1e-5, b: 1e-12 }])
    expect(diff.ok).toBe(false)
  })
})

describe('the configuration of keras-hub', () => {
  const WEIGHTS = join(FIXTURES, 'albert_classifier_weights/own.weights.h5')

  it('is inferred from the weights, except for the number of uses of shared layers', async () => {
    const error = await failure(WEIGHTS)
    expect(error.kind).toBe('malformed')
    expect(error.message).toContain('num_layers')
    expect(error.hint).toContain('"num_layers"')
    const config = written('layers.json', { num_layers: 3 })
    const opened = await openModel(WEIGHTS, { config })
    const report = await verifyOpened(opened, null, { golden: goldenOf('albert_classifier_weights') })
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    expect(report.comparisons.map((c) => c.output)).toContain('logits')
    opened.close()
  })

  it('tells groups and inner layers by the names of the layers', async () => {
    const config = written('four.json', { num_layers: 4 })
    const opened = await openModel(pathOf('albert_backbone_groups'), { config })
    expect(opened.config).toMatchObject({ num_hidden_groups: 2, inner_group_num: 3, num_attention_heads: 2 })
    const report = await verifyOpened(opened, null, { golden: goldenOf('albert_backbone_groups') })
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    opened.close()
  })

  it('may be the arguments alone, or in the words of transformers', async () => {
    const file = join(FIXTURES, 'albert_classifier_preset/config.json')
    const { config } = JSON.parse(readFileSync(file, 'utf8')) as { config: object }
    const weights = join(FIXTURES, 'albert_classifier_preset/model.weights.h5')
    const plain = await openModel(weights, { config: written('arguments.json', config) })
    const { file: _file, ...expected } = plain.config
    plain.close()
    const words = { ...expected, hidden_act: 'gelu_new', model_type: 'albert' }
    const translated = await openModel(weights, { config: written('transformers.json', words) })
    expect(translated.config).toMatchObject(expected)
    translated.close()
  })

  it('names a field as the file does if it disagrees with the weights', async () => {
    const PRESET = 'albert_classifier_preset'
    const sizes = await failure(
      edited('sizes', PRESET, 'config.json', (text) => text.replace('"hidden_dim": 8', '"hidden_dim": 16')),
    )
    expect(sizes.place.field).toBe('hidden_size')
    expect(sizes.hint).toContain('hidden_dim')
    const groups = await failure(
      edited('groups', PRESET, 'config.json', (text) => text.replace('"num_groups": 1', '"num_groups": 3')),
    )
    expect(groups.place.field).toBe('num_hidden_groups')
    expect(groups.hint).toContain('num_groups')
  })

  it('of another model is reported as such', async () => {
    const folder = join(out, 'roberta')
    cpSync(join(FIXTURES, 'bert_backbone_weights'), folder, { recursive: true })
    written('roberta/config.json', { class_name: 'RobertaBackbone', config: { num_layers: 2 } })
    const error = await failure(folder)
    expect(error.kind).toBe('unsupported')
    expect(error.message).toContain('RobertaBackbone')
  })

  it('notes that keras-hub computes in another element type', async () => {
    const edit = (text: string): string => text.replace('"name": "float32"', '"name": "mixed_bfloat16"')
    const opened = await openModel(edited('half', 'albert_classifier_preset', 'config.json', edit))
    expect(opened.notes.join()).toContain('mixed_bfloat16')
    opened.close()
  })

  it('notes that a classifier was saved with an activation', async () => {
    const edit = (text: string): string => text.replace('"activation": "linear"', '"activation": "softmax"')
    const opened = await openModel(edited('softmax', 'albert_classifier_preset', 'task.json', edit))
    expect(opened.notes.join()).toContain('softmax')
    opened.close()
  })
})

describe('the configuration of the head of a preset', () => {
  it('is not taken for absent if it is damaged', async () => {
    const folder = edited('cut', 'albert_classifier_preset', 'task.json', (text) => text.slice(0, 20))
    const error = await failure(folder)
    expect([error.code, error.place.file]).toEqual(['config-invalid', join(folder, 'task.json')])
  })
})

describe('the two files of a preset', () => {
  it('are one model, by the file of the head as well', async () => {
    const folder = join(FIXTURES, 'albert_classifier_preset')
    expect((await diffModels(folder, join(folder, 'task.weights.h5'))).ok).toBe(true)
    const backbone = await openModel(join(folder, 'model.weights.h5'))
    expect(backbone.model.classifier).toBeNull()
    backbone.close()
  })
})
