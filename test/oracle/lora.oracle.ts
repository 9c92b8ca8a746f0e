import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { runReference } from '../../src/model/reference/run.js'
import { parametersOf, readLogical } from '../../src/model/tensors/read.js'
import { ask, PEFT } from './python.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-lora-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const ATTENTION = ['query', 'value']
const LINEAR = ['query', 'key', 'value', 'dense']
const BASE = { r: 3, lora_alpha: 7, target_modules: ATTENTION, task_type: 'SEQ_CLS' }

/** Every kind of adapter that is merged, for both architectures. */
const KINDS = (['bert', 'albert'] as const).flatMap((family) =>
  [
    { name: 'attention', config: BASE },
    { name: 'whole', config: BASE, whole: true },
    {
      name: 'linear',
      config: { ...BASE, target_modules: family === 'bert' ? LINEAR : [...LINEAR, 'ffn', 'ffn_output'] },
    },
    { name: 'embeddings', config: { ...BASE, target_modules: ['word_embeddings', 'query'] } },
    {
      name: 'embeddings-mlm',
      head: 'mlm',
      config: { ...BASE, task_type: undefined, target_modules: ['word_embeddings'] },
    },
    {
      name: 'embeddings-whole',
      whole: true,
      config: { ...BASE, target_modules: ['word_embeddings', 'position_embeddings'] },
    },
    { name: 'features', head: '', config: { ...BASE, task_type: 'FEATURE_EXTRACTION' } },
    { name: 'saved', config: { ...BASE, modules_to_save: ['classifier', 'pooler'] } },
    { name: 'saved-whole', whole: true, config: { ...BASE, modules_to_save: ['classifier', 'pooler'] } },
    { name: 'rslora', config: { ...BASE, use_rslora: true } },
    {
      name: 'patterns',
      config: { ...BASE, rank_pattern: { query: 5 }, alpha_pattern: { value: 2, '.*query': 11 } },
    },
    { name: 'biases of the layers', config: { ...BASE, bias: 'lora_only' } },
    { name: 'all biases', config: { ...BASE, bias: 'all' } },
    {
      name: 'first layer',
      config: { ...BASE, layers_to_transform: [0], layers_pattern: family === 'bert' ? 'layer' : 'albert_layers' },
    },
    { name: 'all linear', config: { ...BASE, target_modules: 'all-linear' } },
    { name: 'fan-in', config: { ...BASE, fan_in_fan_out: true } },
    { name: 'regex', config: { ...BASE, target_modules: '.*attention.*(query|key)' } },
    { name: 'gaussian', config: { ...BASE, init_lora_weights: 'gaussian' } },
    { name: 'large', config: { ...BASE, lora_alpha: 300, target_modules: ['query', 'word_embeddings'] } },
    { name: 'large-rank', config: { ...BASE, r: 64, lora_alpha: 64 } },
  ].map((kind) => ({ ...kind, family, name: `${family}-${kind.name}` })),
)

const NO_HEADS = { mlm: false, sop: false, classifier: false, qa: false }

/** Largest difference of two models' parameters, slot by slot. */
function worstDifference(a: OpenedModel, b: OpenedModel): number {
  const own = [...parametersOf(a.model)]
  const others = new Map([...parametersOf(b.model)].map((p) => [p.slot, p]))
  expect(own.map(({ slot }) => slot).sort()).toEqual([...others.keys()].sort())
  return Math.max(
    ...own.map((p) => {
      const [x, y] = [readLogical(a.source, p), readLogical(b.source, others.get(p.slot)!)]
      return x.reduce((worst, value, i) => Math.max(worst, Math.abs(value - y[i]!)), 0)
    }),
  )
}

describe.skipIf(PEFT === null)('PEFT', () => {
  const states = PEFT === null ? [] : (ask(PEFT, 'make_lora.py', { folder, kinds: KINDS }) as readonly number[][])

  it.each(KINDS.map((kind, i) => ({ ...kind, i })))('merges as mergeLora does: $name', async ({ name, i }) => {
    const config = join(folder, name, 'model/adapter_config.json')
    // PEFT saves the field as it applies it.
    if (name.endsWith('fan-in'))
      writeFileSync(config, readFileSync(config, 'utf8').replace('"fan_in_fan_out": false', '"fan_in_fan_out": true'))
    const merged = await openModel(join(folder, name, 'merged'))
    const own = await openModel(join(folder, name, 'model'), { mergeLora: true })
    const base = name.includes('whole')
      ? null
      : await openModel(join(folder, name, 'model'), { ignore: ['adapter_config.json'] })
    try {
      // PyTorch multiplies in another order on other machines; here every bit is the same.
      expect(worstDifference(own, merged)).toBeLessThan(1e-6)
      // The adapter changes the model.
      if (base !== null) expect(worstDifference(base, merged)).toBeGreaterThan(0.1)
      const input_ids = Int32Array.from({ length: 24 }, (_, at) => at % 83)
      const inputs = {
        batch: 2,
        sequence: 12,
        input_ids,
        attention_mask: new Int32Array(24).fill(1),
        token_type_ids: new Int32Array(24),
      }
      const hidden = runReference(own.model, own.source, inputs, NO_HEADS).get('last_hidden_state')!.data
      const worst = states[i]!.reduce((most, value, at) => Math.max(most, Math.abs(value - hidden[at]!)), 0)
      expect(worst).toBeLessThan(1e-6)
    } finally {
      for (const one of [merged, own, base]) one?.close()
    }
  })
})
