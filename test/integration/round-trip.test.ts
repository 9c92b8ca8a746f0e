import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { AlbertkitError } from '../../src/base/errors.js'
import { isGraphTarget, TARGET_NAMES, type Target } from '../../src/base/artefact-layout.js'
import { FAMILIES, KINDS, writeRandomModel, type Shape } from '../helpers/random-model.js'
import { weightsOf } from '../helpers/weights.js'

/** Source → target → source, for models of any family and shape: the same slots with the same bits, or a refusal. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-round-trip-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0
const fresh = (): string => join(folder, String(made++))

const shapes: fc.Arbitrary<Shape> = fc.record({
  layers: fc.integer({ min: 1, max: 4 }),
  groups: fc.integer({ min: 1, max: 3 }),
  inner: fc.integer({ min: 1, max: 2 }),
  hidden: fc.constantFrom(16, 32),
  embedding: fc.constantFrom(6, 16, 32),
  intermediate: fc.constantFrom(16, 48),
  sharing: fc.constantFrom('all', 'attention', 'ffn', 'none'),
  preNorm: fc.boolean(),
  act: fc.constantFrom('gelu_tanh', 'relu', 'gelu_erf'),
  heads: fc.constantFrom([], ['mlm', 'sop'], ['mlm'], ['classifier'], ['token-classifier'], ['qa']),
  pooler: fc.boolean(),
  untied: fc.constant(false),
})

/** Converts without a check; null if the target has no such model, the only accepted reason for a refusal. */
async function convert(source: string, target: Target): Promise<string | null> {
  const out = fresh()
  try {
    await convertModel(source, out, { targets: [target], verify: false })
  } catch (error) {
    if (error instanceof AlbertkitError && error.exitCode === 4) return null
    throw error
  }
  return target === 'tf' ? join(out, 'tf') : out
}

const bits = (values: Float32Array): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength)

/** How many models of each kind are refused as each target; what is never taken would pass unseen. */
const taken = new Map<string, number>()

describe.each(KINDS)('a model of %s', (kind) => {
  it('is the same after every way there and back', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const source = fresh()
        await writeRandomModel(source, kind, shape)
        const original = await weightsOf(source)
        for (const target of TARGET_NAMES) {
          const there = await convert(source, target)
          if (there === null) continue
          taken.set(`${kind} ${target}`, (taken.get(`${kind} ${target}`) ?? 0) + 1)
          const converted = await weightsOf(there)
          const graph = isGraphTarget(target)
          for (const [slot, values] of original) {
            const other = converted.get(slot)
            // A graph holds what its task uses.
            if (other === undefined) expect([slot, graph]).toEqual([slot, true])
            else expect(bits(other).equals(bits(values)), `${target} ${slot}`).toBe(true)
          }
          const back = await convert(there, FAMILIES[kind] === 'hf' ? 'safetensors' : 'tf')
          if (back === null) expect([kind, target]).toEqual([kind, 'not refused'])
          else if (!graph) {
            const again = await weightsOf(back)
            // transformers has no model without a mapping; TensorFlow's code none with one that does nothing.
            expect([...again.keys()].sort()).toEqual([...original.keys()].sort())
            for (const [slot, values] of original) expect(bits(again.get(slot)!).equals(bits(values)), slot).toBe(true)
          }
        }
        rmSync(folder, { recursive: true })
        mkdirSync(folder)
      }),
      { numRuns: 12, seed: 20 },
    )
  }, 60_000)
})

it('every pair of kind and target that has a way was taken', () => {
  const none = KINDS.flatMap((kind) => TARGET_NAMES.map((target) => `${kind} ${target}`)).filter(
    (pair) => !taken.has(pair),
  )
  expect(none).toEqual(['zh safetensors', 'google_fast safetensors', 'own norms safetensors'])
})
