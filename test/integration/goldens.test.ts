import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel, type OpenModelOptions } from '../../src/api/open/open.js'
import { verifyOpened } from '../../src/api/verify/verify.js'
import { exportModel } from '../../src/export/export.js'
import { elementCount } from '../../src/formats/core/source.js'
import { parametersOf } from '../../src/model/tensors/read.js'
import { describeShared, fixtures, goldensIn, SHARED, ZH_NEWS } from '../helpers/shared.js'

/**
 * Truth: outputs of the genuine TensorFlow and PyTorch code, at 1e-5, from the source and through both artefacts in
 * every runtime. What is not compared must be something that no artefact has.
 */

const out = mkdtempSync(join(tmpdir(), 'albertkit-goldens-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

/** Outputs of goldens that belong to no output of ours: attention maps. */
const NOT_OURS = /^attentions_\d+$/

/** A golden that was computed with another LayerNorm epsilon says so in its name. */
function epsilonOf(golden: string): { layerNormEpsilon?: number } {
  const named = /_epsilon_([\de.-]+)\.safetensors$/.exec(golden)?.[1]
  return named === undefined ? {} : { layerNormEpsilon: Number(named) }
}

/** Checks a fixture with every golden that it has. */
async function checkFixture(folder: string, notOurs: RegExp = NOT_OURS, path = folder): Promise<void> {
  const goldens = goldensIn(folder)
  for (const epsilon of new Set(goldens.map((golden) => epsilonOf(golden).layerNormEpsilon))) {
    const files = goldens.filter((golden) => epsilonOf(golden).layerNormEpsilon === epsilon)
    await checkGoldens(path, files, epsilonOf(files[0] ?? ''), notOurs, epsilon)
  }
}

/** Named, so that pure JavaScript runs however long it takes. */
const RUNNERS = ['onnxruntime', 'reference', 'tfjs-cpu', 'tfjs-wasm']

async function checkGoldens(
  folder: string,
  goldens: readonly string[],
  options: OpenModelOptions,
  notOurs: RegExp,
  epsilon: number | undefined,
): Promise<void> {
  const opened = await openModel(folder, options)
  const directory = join(out, `${basename(folder)}${epsilon ?? ''}`)
  try {
    const distinct = [...parametersOf(opened.model)].reduce((sum, p) => sum + elementCount(p.shape), 0)
    for (const target of ['onnx', 'tfjs'] as const) {
      const { weightBytes } = await exportModel(opened.model, opened.source, target, directory, {
        task: 'auto',
        allOutputs: true,
      })
      expect(weightBytes).toBeLessThanOrEqual(1.01 * 4 * distinct)
    }
    for (const golden of goldens) {
      const report = await verifyOpened(opened, directory, { golden, runners: RUNNERS })
      const bad = report.comparisons.filter((c) => !c.ok)
      expect(bad, `${basename(golden)} of ${basename(folder)}`).toEqual([])
      expect(report.weights.map((w) => w.differences)).toEqual([[], []])
      const runners = new Set(report.comparisons.map((c) => c.runner))
      expect([...runners].sort()).toEqual(RUNNERS)
      const left = report.notRun.filter((n) => n.runner === 'reference' && !notOurs.test(n.output ?? ''))
      expect(left, 'outputs that the reference lacks').toEqual([])
      expect(report.ok).toBe(true)
    }
    const own = await verifyOpened(opened, directory)
    expect(own.comparisons.filter((c) => !c.ok)).toEqual([])
    expect(own.ok).toBe(true)
  } finally {
    opened.close()
  }
}

describe('the bundled model', () => {
  it('equals its golden', async () => {
    await checkFixture(ZH_NEWS)
  })
})

/** Folders that hold several checkpoints, or a model without a head that its golden has: below. */
const APART = /^(fmt_tf2_objects|fmt_encoder_only)$/

describeShared('checkpoints of the TensorFlow families equal their goldens', () => {
  const names = fixtures('tf', 'golden.safetensors').filter((name) => !APART.test(name))
  it.each(names)('%s', async (name) => {
    await checkFixture(join(SHARED, 'tf', name))
  })

  it('there are as many as there should be', () => {
    expect(names.length).toBeGreaterThanOrEqual(41)
  })

  it.each(['listed.ckpt', 'nested.ckpt'])('fmt_tf2_objects/%s', async (prefix) => {
    const folder = join(SHARED, 'tf', 'fmt_tf2_objects')
    await checkFixture(folder, NOT_OURS, join(folder, prefix))
  })

  it('fmt_encoder_only, which has no heads', async () => {
    await checkFixture(join(SHARED, 'tf', 'fmt_encoder_only'), /^(mlm_logits|sop_logits)$/)
  })
})

describeShared('models of Hugging Face equal their goldens', () => {
  const names = fixtures('hf', 'model.safetensors')
  it.each(names)('%s', async (name) => {
    await checkFixture(join(SHARED, 'hf', name))
  })

  it.each(['albert_pretraining_sharded', 'albert_pretraining_bin_sharded', 'bert_seqcls_gamma_beta'])(
    '%s',
    async (name) => {
      await checkFixture(join(SHARED, 'hf', name))
    },
  )

  it('there are as many as there should be', () => {
    expect(names.length).toBeGreaterThanOrEqual(13)
  })
})
