import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConvertReport } from '../../src/api/convert/report.js'
import type { VerifyReport } from '../../src/api/verify/report.js'
import type * as Browser from '../../src/browser-entry.js'
import { initModel } from '../../src/api/init/init.js'
import { zip } from '../helpers/archive.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { below, openWebPage, type WebPage } from '../helpers/web-page.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-kit-'))
const NAME = basename(ZH_NEWS)

let web: WebPage
beforeAll(async () => {
  if (CHROMIUM === null) return
  const tiny = await tinyArchive()
  web = await openWebPage(folder, [...below(ZH_NEWS, `models/${NAME}`), ['models/tiny.zip', tiny]])
  await web.page.evaluate(openInPage, { name: NAME, paths: below(ZH_NEWS, NAME).map(([path]) => path) })
}, 60_000)
afterAll(async () => {
  await (web as WebPage | undefined)?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A model of the sizes of albert_tiny, with random weights, in a zip archive. */
async function tinyArchive(): Promise<string> {
  const made = join(folder, 'tiny')
  await initModel('albert-tiny-zh', made, { verify: false })
  const entries = below(made, 'tiny').map(([name, file]) => ({ name, data: readFileSync(file) }))
  const archive = join(folder, 'tiny.zip')
  writeFileSync(archive, await zip(entries))
  return archive
}

/** What a test's page holds. */
interface Held {
  albertkit: typeof Browser
  kit: Browser.Kit
}

/** Runs in the page: starts albertkit, and adds a model, its files fetched as blobs. */
async function openInPage({ name, paths }: { name: string; paths: readonly string[] }) {
  const held = globalThis as unknown as Held
  held.kit = held.albertkit.openKit()
  const files = new Map<string, Blob>()
  for (const path of paths) files.set(path.slice(name.length + 1), await (await fetch(`models/${path}`)).blob())
  await held.kit.add(files, { name })
  await held.kit.add(new File([await (await fetch('models/tiny.zip')).blob()], 'tiny.zip'))
}

/** Runs in the page: the JSON of what an operation reports. */
async function jsonInPage([operation, values]: readonly [string, readonly unknown[]]) {
  const { albertkit: module, kit } = globalThis as unknown as Held
  const calls = kit as unknown as Record<string, (...values: readonly unknown[]) => Promise<object>>
  const call = calls[operation]!
  return module.toJsonText(await call(...values))
}

/** Runs in the page: SHA-256 of every file below a folder. */
async function hashesInPage(path: string) {
  const { kit } = globalThis as unknown as Held
  const hashes: [string, string][] = []
  for (const file of await kit.files(path)) {
    const bytes = await kit.read(`${path}/${file.path}`, 0, file.bytes)
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
    hashes.push([file.path, [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')])
  }
  return hashes
}

const ask = (operation: string, ...values: readonly unknown[]): Promise<string> =>
  web.page.evaluate(jsonInPage, [operation, values] as const)

/** What the command line prints, in the folder that the model lies in. */
async function printed(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await albertkit([...args, '--json'], { cwd: dirname(ZH_NEWS) })
  expect(stdout, stderr).not.toBe('')
  return stdout
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

describe.skipIf(CHROMIUM === null)('albertkit/browser', () => {
  it('reports what the command line does', async () => {
    expect(await ask('inspectModel', NAME)).toBe(await printed('inspect', NAME))
    // The engines' logarithms may differ in the last digit.
    const rounded = (text: string): string =>
      text.replaceAll(/(\.\d{10,14})\d*/g, (digits) => Number(digits).toFixed(9))
    expect(rounded(await ask('analyseWeights', NAME))).toBe(rounded(await printed('weights', NAME)))
    expect(await ask('diffModels', NAME, NAME)).toBe(await printed('diff', NAME, NAME))
    const asked = { models: [NAME], presets: ['albert-base'], workload: { batch: 1, sequence: 64 } }
    expect(await ask('countModels', asked)).toBe(
      await printed('params', NAME, '--preset', 'albert-base', '--sequence', '64'),
    )
  })

  it.each([
    [['onnx', 'onnx:int8', 'tfjs', 'tflite', 'tf'], []],
    [['safetensors:f16'], ['--as', 'bert']],
  ])('writes %s as Node does, byte for byte', async (targets, more) => {
    await expectSameFiles(NAME, targets, more)
  })

  it('reads an archive, and an address by ranges', async () => {
    await expectSameFiles('tiny.zip', ['onnx', 'tfjs'], [])
    const address = `${web.server.url}models/tiny.zip`
    await web.page.evaluate(
      (url) => (globalThis as unknown as Held).kit.add(new URL(url), { name: 'far.zip' }),
      address,
    )
    expect(await ask('inspectModel', 'far.zip')).toBe(
      (await ask('inspectModel', 'tiny.zip')).replaceAll('tiny.zip', 'far.zip'),
    )
  })

  it('verifies in the runtimes of the browser', async () => {
    const report = JSON.parse(
      await ask('convertModel', NAME, 'checked', { targets: ['onnx', 'tfjs', 'tflite'] }),
    ) as ConvertReport
    expect(report.ok).toBe(true)
    expect(report.verification?.runtimes.map(({ runner, detail }) => `${runner} ${detail}`)).toEqual([
      expect.stringMatching(/^onnxruntime onnxruntime-web 1\.\d+.* \(wasm\)$/),
      expect.stringMatching(/^tfjs-wasm /),
      expect.stringMatching(/^tfjs-cpu /),
      expect.stringMatching(/^litert @litertjs\/core \(wasm\)$/),
    ])
    expect(report.verification?.comparisons.length).toBeGreaterThan(4)
    const again = JSON.parse(await ask('verifyModel', NAME, 'checked')) as VerifyReport
    expect(again.ok).toBe(true)
  })

  it('verifies what it makes of an archive', async () => {
    const options = { targets: ['onnx', 'tfjs'] }
    const report = JSON.parse(await ask('convertModel', 'tiny.zip', 'checked-tiny', options)) as ConvertReport
    expect(report.ok).toBe(true)
    expect(report.verification?.comparisons.length).toBeGreaterThan(4)
  })

  it('stops when it is told to, and works on', async () => {
    const how = await web.page.evaluate(abortInPage, 'tiny.zip')
    expect(how).toBe('interrupted')
    expect(await ask('inspectModel', NAME)).toContain('"family": "zh"')
  })

  it('tells what is wrong as the library does', async () => {
    await expect(ask('inspectModel', 'nothing')).rejects.toThrow('there is no such file')
    await expect(ask('convertModel', NAME, NAME, { targets: ['onnx'] })).rejects.toThrow('exists already')
    await expect(ask('convertModel', NAME, NAME, { targets: ['onnx'], force: true })).rejects.toThrow('would replace')
    expect(web.wrong).toEqual([])
  })
})

/** Converts in both, and compares reports and files. */
async function expectSameFiles(model: string, targets: readonly string[], more: readonly string[]): Promise<void> {
  const out = join(folder, `out-${targets.join()}-${model}`.replaceAll(':', '-'))
  const flags = targets.flatMap((target) => ['--to', target])
  const place = { cwd: model === NAME ? dirname(ZH_NEWS) : folder }
  const { stdout, stderr } = await albertkit(
    ['convert', model, ...flags, ...more, '--no-verify', '--json', '-o', out],
    place,
  )
  expect(stdout, stderr).not.toBe('')
  const told = JSON.parse(stdout) as object
  const options = { targets, verify: false, ...(more.length > 0 ? { targetArchitecture: 'bert' } : {}) }
  const name = `out ${targets.join()} ${model}`
  const report = JSON.parse(await ask('convertModel', model, name, options)) as object
  expect({ ...report, output: out }).toEqual(told)
  const hashes = await web.page.evaluate(hashesInPage, name)
  const expected = below(out, '').map(([path, file]) => [path.slice(1), sha256(file)] as const)
  expect(hashes.length).toBeGreaterThan(2)
  expect(Object.fromEntries(hashes)).toEqual(Object.fromEntries(expected))
}

/** Runs in the page: stops an examination at its first step. */
async function abortInPage(model: string) {
  const { kit } = globalThis as unknown as Held
  const controller = new AbortController()
  const options = {
    signal: controller.signal,
    onProgress: () => {
      controller.abort()
    },
  }
  return kit.analyseWeights(model, options).then(
    () => 'done',
    (error: unknown) => (error as { code?: string }).code,
  )
}
