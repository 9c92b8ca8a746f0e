import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { DoctorReport } from '../../src/api/doctor/report.js'
import { tryRuntime } from '../../src/api/doctor/try.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { withoutPackage } from '../helpers/absent-package.js'
import { albertkit, userEnv } from '../helpers/run.js'
import { SCHEMAS } from '../../src/schemas/schemas.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-doctor-test-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const healthOf = (report: DoctorReport, name: string) => report.runtimes.find((r) => r.name === name)

it('tries every runtime, and reports what is missing and what to do', { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await albertkit(['doctor', '--json'])
  const report = JSON.parse(stdout) as DoctorReport
  expect(SCHEMAS.doctor.safeParse(report).error).toBeUndefined()
  expect({ code, stderr, ok: report.ok }).toEqual({ code: 0, stderr: '', ok: true })
  for (const name of ['onnxruntime', 'tfjs-wasm', 'tfjs-cpu'])
    expect(healthOf(report, name)).toMatchObject({ required: true, status: 'works', reason: null })
  const node = healthOf(report, 'tfjs-node')
  expect(node).toMatchObject({ status: 'absent', fix: expect.stringContaining('npm install') as string })
  if (CHROMIUM !== null) expect(healthOf(report, 'browser-wasm')?.status).toBe('works')
  // Node finds Chromium's SwiftShader only where the Vulkan loader is installed.
  if (report.adapters.join().includes('SwiftShader'))
    expect(healthOf(report, 'ort-webgpu')).toMatchObject({ status: 'software', adapter: { software: true } })
  expect(report.runtimes.every((r) => r.status === 'works' || r.status === 'software' || r.fix !== null)).toBe(true)
})

it('without a required runtime it is exit code 6, and names it', { timeout: 120_000 }, async () => {
  mkdirSync(join(folder, 'second'))
  const options = [
    withoutPackage('@tensorflow/tfjs-backend-wasm', folder),
    withoutPackage('onnxruntime-node', join(folder, 'second')),
  ].join(' ')
  const env = userEnv({ NODE_OPTIONS: options, CHROME_PATH: '/nonexistent' })
  const { code, stdout } = await albertkit(['doctor'], { env })
  expect(code).toBe(6)
  expect(stdout).toContain('NOT fit: tfjs-wasm')
  expect(stdout).toContain('reinstall albertkit')
  // An installer may have left it out without a word.
  expect(stdout).toMatch(/^slow: onnxruntime-node does not load, text is read about 4 × slower; npm install .+$/m)
})

describe('a runtime that', () => {
  const script = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }
  const task = { runner: 'onnxruntime', model: 'none', options: {} }

  it('crashes is broken, and takes nothing with it', async () => {
    const crash = script('crash.mjs', "process.on('message', () => process.kill(process.pid, 'SIGSEGV'))")
    expect(await tryRuntime(task, crash)).toMatchObject({
      worked: false,
      reason: expect.stringMatching(/crashed \(SIGSEGV\)/) as string,
    })
  })

  it('hangs is ended', async () => {
    const hang = script('hang.mjs', "process.on('message', () => setInterval(() => undefined, 1000))")
    expect(await tryRuntime(task, hang, 500)).toMatchObject({
      worked: false,
      reason: 'it did not answer within 0.5 seconds',
    })
  })
})
