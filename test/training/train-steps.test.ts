import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { trainBatches } from '../../src/api/finetune/train-batches.js'
import { trainModel } from '../../src/api/finetune/train-model.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll, type TensorSource } from '../../src/formats/core/source.js'
import { hasVulkan } from '../helpers/gpu.js'
import { tinyLines, writeTinyClassifier } from '../helpers/tiny-files.js'
import { describeShared, fixtures, hasShared, SHARED } from '../helpers/shared.js'

// Fine-tuning steps that the original TensorFlow code took: losses, norms, gradients, weights and optimizer slots.

const folder = mkdtempSync(join(tmpdir(), 'albertkit-steps-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const CASES = fixtures('tf', 'train.json')

const floats = (source: TensorSource, name: string): Float32Array =>
  new Float32Array(readAll(source, name).buffer as ArrayBuffer)

/** Largest difference of the float variables of two files; the key bias, whose true gradient is 0, is left out. */
async function largestDifference(ours: string, theirs: string): Promise<number> {
  using a = await openSource(ours)
  using b = await openSource(theirs)
  expect([...a.tensors.keys()].sort()).toEqual([...b.tensors.keys()].sort())
  let most = 0
  for (const [name, { dtype, shape }] of b.tensors) {
    expect(a.tensors.get(name)?.shape).toEqual(shape)
    if (dtype !== 'F32' || name.includes('key/bias')) continue
    const [x, y] = [floats(a, name), floats(b, name)]
    x.forEach((value, i) => (most = Math.max(most, Math.abs(value - y[i]!))))
  }
  return most
}

interface Recorded {
  readonly loss: readonly number[]
  readonly global_norm_before_clipping: readonly number[]
  readonly learning_rate_used: readonly number[]
}

describeShared('training steps', () => {
  it('are there', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(6)
  })

  describe.each(CASES)('%s', (name) => {
    it.each([1, 3])('after %i steps equals TensorFlow', async (steps) => {
      const at = join(SHARED, 'tf', name)
      const output = join(folder, `${name}-${steps}`)
      const saveGradients = join(folder, `${name}-${steps}.safetensors`)
      const report = await trainBatches(
        join(at, 'before.ckpt'),
        join(at, 'batches.safetensors'),
        join(at, 'train.json'),
        { steps, output, saveGradients },
      )
      const recorded = JSON.parse(readFileSync(join(at, 'train.json'), 'utf8')) as Recorded
      expect(report.steps).toHaveLength(steps)
      report.steps.forEach(({ loss, gradientNorm, learningRate }, i) => {
        expect(Math.abs(loss - recorded.loss[i]!)).toBeLessThan(2e-6)
        expect(Math.abs(gradientNorm / recorded.global_norm_before_clipping[i]! - 1)).toBeLessThan(1e-6)
        expect(learningRate).toBe(recorded.learning_rate_used[i])
      })
      expect(await largestDifference(saveGradients, join(at, 'gradients.safetensors'))).toBeLessThan(5e-6)
      expect(await largestDifference(output, join(at, `after_${steps}.ckpt`))).toBeLessThan(2e-6)
    })
  })
})

describe.skipIf(!hasShared || !hasVulkan)('training steps on WebGPU', () => {
  it.each(['train_step_zh', 'train_step_zh_lamb'])('%s equals TensorFlow', async (name) => {
    const at = join(SHARED, 'tf', name)
    const output = join(folder, `${name}-webgpu`)
    const saveGradients = join(folder, `${name}-webgpu.safetensors`)
    const files = ['before.ckpt', 'batches.safetensors', 'train.json'].map((file) => join(at, file))
    const [model, batches, recipe] = files as [string, string, string]
    const report = await trainBatches(model, batches, recipe, {
      ...{ output, saveGradients, runner: 'ort-webgpu', allowSoftware: true },
    })
    expect(report.runner).toContain('webgpu')
    expect(report.steps).toHaveLength(3)
    expect(await largestDifference(saveGradients, join(at, 'gradients.safetensors'))).toBeLessThan(5e-6)
    expect(await largestDifference(output, join(at, 'after_3.ckpt'))).toBeLessThan(2e-6)
  })
})

describe.skipIf(!hasVulkan)('a training run on WebGPU', () => {
  it('gives the weights of the CPU, from parts of a batch, saved and continued', async () => {
    const at = (name: string): string => join(folder, name)
    await writeTinyClassifier(at('model'))
    writeFileSync(at('train.tsv'), tinyLines(40).join(''))
    writeFileSync(at('dev.tsv'), tinyLines(60).slice(40).join(''))
    const data = { train: at('train.tsv'), dev: at('dev.tsv') }
    const common = { steps: 4, batchSize: 8, learningRate: 1e-3, evalEvery: 2, maxSeqLength: 12, dropout: 0.1 }
    const gpu = { ...common, runner: 'ort-webgpu', allowSoftware: true, output: at('gpu') } as const
    const cpu = await trainModel(at('model'), data, { ...common, output: at('cpu') })
    const stop = new AbortController()
    const onStep = ({ step }: { readonly step: number }): void => {
      if (step === 3) stop.abort()
    }
    const stopped = trainModel(at('model'), data, { ...gpu, signal: stop.signal, onStep })
    await expect(stopped).rejects.toMatchObject({ kind: 'interrupted' })
    const report = await trainModel(at('model'), data, { ...gpu, resume: true })
    expect(report.runner).toContain('webgpu')
    expect(report.bestStep).toBe(cpu.bestStep)
    report.steps.forEach(({ loss, gradientNorm }, i) => {
      expect(Math.abs(loss - cpu.steps[i]!.loss)).toBeLessThan(2e-6)
      expect(Math.abs(gradientNorm / cpu.steps[i]!.gradientNorm - 1)).toBeLessThan(1e-5)
    })
    expect(await largestDifference(at('gpu'), at('cpu'))).toBeLessThan(2e-6)
    // The weights of the source are others.
    expect(await largestDifference(at('gpu'), at('model'))).toBeGreaterThan(1e-4)
  })
})
