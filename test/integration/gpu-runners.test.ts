import { afterAll, describe, expect, it } from 'vitest'
import { openModel, type OpenedModel } from '../../src/api/open/open.js'
import { runnable } from '../../src/api/verify/artefacts.js'
import { TemporaryArtefacts } from '../../src/api/verify/artefacts.js'
import { verifyModel } from '../../src/api/verify/verify.js'
import { hiddenStateCount } from '../../src/model/outputs.js'
import { requireAdapter } from '../../src/runtime/gpu/adapter.js'
import { openRunner, RUNNERS } from '../../src/runtime/runners.js'
import { findAdapter, listAdapters } from '../../src/runtime/gpu/webgpu.js'
import { CHROMIUM, hasVulkan } from '../helpers/gpu.js'
import { hasLiteRt } from '../helpers/run-artefact.js'
import { hasShared, SHARED, ZH_NEWS } from '../helpers/shared.js'

// WebGPU for real, on a processor that pretends to be a GPU: twice in Node, and once in a browser beside wasm.

/** A small checkpoint of every family. */
const FAMILIES = hasShared
  ? ['zh_preln_all', 'google_base_like', 'google_fast', 'bert'].map((name) => `${SHARED}tf/${name}`)
  : [ZH_NEWS]

const SOFTWARE = { allowSoftware: true }

/** What there is to run it on; each names itself where it is missing (test/helpers/gpu.ts). */
const HERE = [
  ...(hasVulkan ? ['tfjs-webgpu', 'ort-webgpu'] : []),
  ...(CHROMIUM === null
    ? []
    : [
        'browser-wasm',
        'browser-webgpu',
        'browser-ort-wasm',
        'browser-ort-webgpu',
        ...(hasLiteRt ? ['browser-litert-wasm', 'browser-litert-webgpu'] : []),
      ]),
]

describe.skipIf(HERE.length === 0).each(FAMILIES)('%s', (path) => {
  // Starting onnxruntime-web on a software GPU takes long: the family whose products are grouped will do.
  const here = HERE.filter((name) => name !== 'browser-ort-webgpu' || !hasShared || path.endsWith('google_fast'))
  it.each(here)('%s is within its tolerance', { timeout: 120_000 }, async (name) => {
    const report = await verifyModel(path, null, { runners: [name], ...SOFTWARE })
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    expect(report.ok).toBe(true)
    expect(report.comparisons.some((c) => c.output === 'last_hidden_state' && c.runner === name)).toBe(true)
    const [runtime] = report.runtimes
    expect(runtime?.runner).toBe(name)
    if (name.endsWith('wasm')) expect(runtime?.adapter).toBeNull()
    else
      expect(runtime?.adapter).toMatchObject({
        software: true,
        device: expect.stringMatching(/swiftshader/i) as string,
      })
  })
})

describe.skipIf(!hasVulkan)('software is no GPU', () => {
  it.each(['tfjs-webgpu', 'ort-webgpu'])('%s refuses it unless it is allowed', async (name) => {
    await expect(verifyModel(ZH_NEWS, null, { runners: [name] })).rejects.toMatchObject({
      exitCode: 6,
      message: expect.stringContaining('only a software adapter') as string,
      hint: expect.stringContaining('`allowSoftware`') as string,
    })
  })

  it('an adapter is found in small letters too', async () => {
    expect(await findAdapter('tfjs-webgpu', { adapter: 'swiftshader', ...SOFTWARE })).toMatchObject({ software: true })
  })

  it('an adapter that is not there is an error that names those that are', async () => {
    const there = await listAdapters()
    expect(there.join()).toContain('SwiftShader')
    await expect(
      verifyModel(ZH_NEWS, null, { runners: ['tfjs-webgpu'], adapter: 'Voodoo', ...SOFTWARE }),
    ).rejects.toMatchObject({ exitCode: 6, hint: expect.stringContaining('SwiftShader') as string })
  })
})

describe.skipIf(CHROMIUM === null)('an adapter that a browser does not take', () => {
  it.each(['browser-webgpu', 'browser-ort-webgpu'])('%s says which one it takes', { timeout: 60_000 }, async (name) => {
    await expect(verifyModel(ZH_NEWS, null, { runners: [name], adapter: 'Voodoo', ...SOFTWARE })).rejects.toMatchObject(
      {
        exitCode: 6,
        message: expect.stringMatching(/takes .*swiftshader.*, and cannot be told to take Voodoo/i) as string,
      },
    )
  })
})

it('an adapter is meant by any part of its text', () => {
  const adapter = { vendor: 'nvidia', device: 'H100', driver: '555.1', software: false }
  for (const part of ['h100', 'NVIDIA', '555', undefined]) requireAdapter('ort-cuda', adapter, part, '')
  expect(() => {
    requireAdapter('ort-cuda', adapter, 'A100', 'how')
  }).toThrow(/cannot be told to take A100/)
})

describe('no GPU', () => {
  it.each(['tfjs-node', 'tfjs-node-gpu'])('%s says what to install', async (name) => {
    await expect(verifyModel(ZH_NEWS, null, { runners: [name] })).rejects.toMatchObject({
      exitCode: 6,
      hint: expect.stringContaining('npm install @tensorflow/tfjs-node') as string,
    })
  })

  it('--gpu never falls back to a processor', async () => {
    await expect(verifyModel(ZH_NEWS, null, { gpu: true, browser: process.execPath })).rejects.toMatchObject({
      exitCode: 6,
      message: 'no runtime found a usable GPU',
    })
  })
})

describe.skipIf(CHROMIUM === null)('in a browser', () => {
  const opened: OpenedModel[] = []
  afterAll(() => {
    for (const model of opened) model.close()
  })

  it('inner values can be asked for, and a file that is no model is malformed', { timeout: 60_000 }, async () => {
    const model = await openModel(ZH_NEWS)
    opened.push(model)
    const artefacts = new TemporaryArtefacts(model)
    try {
      const directory = await artefacts.directory('tfjs')
      const runner = await openRunner('browser-wasm', runnable(model, directory, 'tfjs', 'marks'))
      expect(runner.detail).toContain('Chromium')
      const states = Array.from({ length: hiddenStateCount(model.model) - 1 }, (_, i) => `hidden_state_${i}`)
      expect(runner.marks).toEqual(expect.arrayContaining(states))
      await runner.close()
    } finally {
      artefacts.remove()
    }
    await expect(openRunner('browser-wasm', { file: `${ZH_NEWS}/absent.json` })).rejects.toMatchObject({ exitCode: 3 })
  })
})

it('runners that cost something are never run unasked', () => {
  expect(RUNNERS.filter((r) => r.device === 'cpu').map((r) => r.name)).toEqual([
    'onnxruntime',
    'tfjs-wasm',
    'tfjs-cpu',
    'litert',
  ])
})
