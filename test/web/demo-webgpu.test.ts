import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { servePage } from '../../src/api/serve/serve-page.js'
import { launches } from '../../src/runtime/browser/launch.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { openPage, type WebPage } from '../helpers/web-page.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-demo-gpu-'))
const out = join(folder, 'news')
const lines = join(folder, 'lines.txt')
const TEXT = '国家队公布新一期集训名单'
/** Chromium's own adapter, a CPU that emulates a GPU. */
const SOFTWARE = launches('webgpu', { allowSoftware: true }).at(-1)!
const NAMES = ['TensorFlow.js · WebGPU · f32', 'onnxruntime-web · WebGPU · f32']

beforeAll(async () => {
  writeFileSync(lines, `${TEXT}\n`)
  await convertModel(ZH_NEWS, out, { targets: ['tfjs', 'onnx'], verify: false })
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Opens the page, chooses the runtimes on the GPU beside the first one, and gives the rows of the comparison. */
async function compared(args: readonly string[], body: (web: WebPage) => Promise<void>): Promise<void> {
  const web = await openPage(await servePage({ directory: out }), { args, locale: 'en' })
  try {
    await web.page.getByRole('textbox', { name: 'Text', exact: true }).fill(TEXT)
    for (const name of NAMES) await web.page.getByRole('checkbox', { name }).check()
    await body(web)
  } finally {
    await web.close()
  }
}

describe.skipIf(CHROMIUM === null)('the page on WebGPU', () => {
  it('answers on the GPU as the command line does on the CPU', async () => {
    await compared(SOFTWARE, async ({ page, wrong }) => {
      const row = (name: string) => page.getByRole('row', { name: new RegExp(name) })
      await row('onnxruntime-web · WebGPU').getByText('(webgpu)').waitFor({ timeout: 120_000 })
      await row('TensorFlow.js · WebGPU').getByText('on webgpu').waitFor({ timeout: 60_000 })
      await page.getByText('They give the same answer').waitFor({ timeout: 60_000 })
      expect(Number(await page.locator('.verdict').getAttribute('data-difference'))).toBeLessThan(1e-3)
      // The answer of the GPU itself.
      await page.getByRole('checkbox', { name: 'TensorFlow.js · wasm' }).uncheck()
      await expect.poll(() => page.getByRole('row').count()).toBe(3)
      const { stdout } = await albertkit(['predict', out, lines, '--format', 'tsv'])
      const [label, probability] = stdout.trim().split('\t')
      const best = page.locator('.top-value')
      expect(await best.locator('.value-name').innerText()).toBe(label)
      expect(Number(await best.locator('.value-number').innerText())).toBeCloseTo(Number(probability), 4)
      expect(wrong).toEqual([])
    })
  }, 240_000)

  it('says that there is no GPU, and answers on the CPU', async () => {
    await compared(['--disable-gpu'], async ({ page }) => {
      await expect
        .poll(() => page.getByText('Not available here: this browser gives the page no GPU').count(), {
          timeout: 60_000,
        })
        .toBe(2)
      expect(await page.locator('.top-value').count()).toBe(1)
    })
  }, 120_000)
})
