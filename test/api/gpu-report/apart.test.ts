import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { stepApart } from '../../../src/api/gpu-report/apart.js'
import type { GpuReport, GpuStep } from '../../../src/api/gpu-report/report.js'
import { gpuText } from '../../../src/report/text/gpu.js'
import { gpuReportFiles } from '../../../src/report/write-gpu-report.js'
import { SCHEMAS } from '../../../src/schemas/schemas.js'
import { albertkit } from '../../helpers/run.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-gpu-report-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const task = { model: 'm', runner: 'ort-webgpu', source: 'none', directory: 'none', length: 32, runs: 0, options: {} }
const script = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const parity = [{ dtype: 'f32', output: 'logits', maxAbs: 1e-6, atol: 1e-5, ok: true }]
const TOLD = `process.send({ part: { status: 'ok', parity: ${JSON.stringify(parity)} } })`

describe('a step', () => {
  it('that crashes keeps what it told before', async () => {
    const file = script('crash.mjs', `process.on('message', () => { ${TOLD}; process.kill(process.pid, 'SIGSEGV') })`)
    const step = await stepApart(task, 60_000, file)
    expect(step).toEqual({ status: 'failed', parity, reason: 'its process crashed (SIGSEGV)' })
  })

  it('that hangs is ended, and keeps it too', async () => {
    const file = script('hang.mjs', `process.on('message', () => { ${TOLD}; setInterval(() => {}, 1000) })`)
    const step = await stepApart(task, 3000, file)
    expect(step).toMatchObject({ status: 'failed', parity, reason: 'it did not end within 3 seconds' })
  })

  it('of a model that cannot be read fails with the reason', async () => {
    const step = await stepApart(task, 60_000, null)
    expect(step).toMatchObject({ status: 'failed', reason: expect.stringContaining('there is no such') as string })
  })
})

const adapter = { vendor: 'acme', device: '9000', driver: '1.2', software: false }
const layers = [-1, 0, 1].map((layer) => ({ layer, maxAbs: layer === 1 ? 1 : 1e-7, atol: 1e-5, ok: layer < 1 }))
const speed = [{ file: 'onnx/model.onnx', batch: 1, length: 128, p50: 1.25, load: 100 }]
const common = { model: 'bert, small', seconds: 3, detail: 'onnxruntime-node', adapter, parity, layers, speed }
const steps: GpuStep[] = [
  { ...common, runner: 'ort-webgpu', status: 'differs', reason: null },
  { ...common, runner: 'ort-cuda', status: 'skipped', reason: 'no driver', parity: [], layers: [], speed: [] },
]
const report: GpuReport = {
  ok: false,
  complete: false,
  date: '2026-01-01T00:00:00.000Z',
  seconds: 5,
  version: '0.1.0',
  node: '20.19.0',
  system: {
    platform: 'linux',
    release: '6',
    arch: 'x64',
    cpu: 'a|b',
    threads: 2,
    memory: 2 ** 30,
    freeMemory: 2 ** 29,
  },
  nvidia: { device: 'H200', driver: '580' },
  adapters: [],
  runtimes: [
    {
      name: 'ort-webgpu',
      required: false,
      place: 'gpu',
      status: 'works',
      detail: 'onnxruntime-node',
      adapter,
      maxAbs: 1e-6,
      reason: null,
      fix: null,
    },
  ],
  steps,
}

describe('the report', () => {
  it('is a document of its schema, and its files are replaced as it grows, but not those of another', () => {
    expect(SCHEMAS['gpu-report'].safeParse(report).error).toBeUndefined()
    const directory = join(folder, 'report')
    const write = gpuReportFiles(directory, false)
    write(report)
    write({ ...report, complete: true })
    expect(JSON.parse(readFileSync(join(directory, 'gpu-report.json'), 'utf8'))).toEqual({ ...report, complete: true })
    expect(readFileSync(join(directory, 'gpu-report.md'), 'utf8')).toMatch(/^# H200\n/)
    expect(() => gpuReportFiles(directory, false)).toThrow(/exists/)
    gpuReportFiles(directory, true)
  })

  it('names what is not right, the first layer beyond its bound, and what was skipped', () => {
    const text = gpuText(report, Infinity)
    expect(text).toContain('(unfinished)')
    expect(text).toContain('NOT right: bert, small in ort-webgpu')
    expect(text).toMatch(/bert, small +ort-webgpu +3 +layer 1 +1\.0e\+0 +1\.0e-5 +layer 1/)
    expect(text).toMatch(/ort-cuda +skipped +no driver/)
    expect(gpuText({ ...report, steps: [] }, 80)).toContain('no GPU runtime ran')
  })

  it('goes with --gpu', async () => {
    const { code, stderr } = await albertkit(['doctor', '--report', join(folder, 'never')])
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('--report goes with --gpu') as string })
  })
})
