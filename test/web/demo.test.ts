import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelLayers } from '../../src/api/layers/report.js'
import { convertModel } from '../../src/api/convert/convert.js'
import { servePage } from '../../src/api/serve/serve-page.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { albertkit, ROOT } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { complaints, firstPaint, openPage, type WebPage } from '../helpers/web-page.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-demo-'))
const out = join(folder, 'news')
const lines = join(folder, 'lines.txt')
const TEXT = '央行下调存款准备金率'

let web: WebPage
beforeAll(async () => {
  if (CHROMIUM === null) return
  writeFileSync(lines, `${TEXT}\n`)
  await convertModel(ZH_NEWS, out, { targets: ['tfjs', 'onnx:f32,int8'], verify: false })
  web = await openPage(await servePage({ directory: out }), { viewport: { width: 1000, height: 800 }, locale: 'en' })
}, 60_000)
afterAll(async () => {
  await (web as WebPage | undefined)?.close()
  rmSync(folder, { recursive: true, force: true })
})

const tab = (name: string) => web.page.getByRole('tab', { name, exact: true })
const panel = () => web.page.getByRole('tabpanel')
const best = () => panel().locator('.top-value')
const runtime = (name: string) => panel().getByRole('checkbox', { name })

/** Class and probability of a text on the command line. */
async function predicted(file: string): Promise<string[]> {
  const { stdout, stderr } = await albertkit(['predict', join(out, file), lines, '--format', 'tsv'])
  expect(stderr).not.toContain('error')
  return stdout.trim().split('\t')
}

/** The same in the page, once it is that of the text. */
async function shown(): Promise<string[]> {
  await panel().getByText('10 tokens').or(panel().getByText('12 tokens')).first().waitFor()
  return [await best().locator('.value-name').innerText(), await best().locator('.value-number').innerText()]
}

/** Probabilities of a page have six digits behind the point. */
const rounded = ([label = '', probability = '']: readonly string[]): string[] => [label, Number(probability).toFixed(6)]

describe.skipIf(CHROMIUM === null)("the page of a folder's artefacts", () => {
  it('is small, painted at once, and loads no runtime but the one that answers', async () => {
    const script = readFileSync(join(ROOT, 'dist/web/demo.js'))
    expect(gzipSync(script).length).toBeLessThan(40_000)
    await best().waitFor()
    // Half a second on an idle machine.
    expect(await firstPaint(web.page)).toBeLessThan(3000)
    const urls = await web.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
    expect(urls.filter((url) => url.includes('/runtimes/ort/'))).toEqual([])
  })

  it('answers as the command line does, in TensorFlow.js and in onnxruntime-web', async () => {
    await panel().getByRole('textbox', { name: 'Text', exact: true }).fill(TEXT)
    expect(await shown()).toEqual(rounded(await predicted('tfjs/model.json')))
    await runtime('onnxruntime-web · wasm · f32').check()
    await runtime('TensorFlow.js · wasm · f32').uncheck()
    await panel()
      .getByRole('cell', { name: /onnxruntime-web 1\./ })
      .waitFor()
    expect(await shown()).toEqual(rounded(await predicted('onnx/model.onnx')))
    expect(await complaints(web.page)).toEqual([])
  })

  it('shows runtimes and precisions side by side, with the largest difference between them', async () => {
    await runtime('TensorFlow.js · wasm · f32').check()
    const verdict = panel().locator('.verdict')
    await verdict.waitFor()
    expect(Number(await verdict.getAttribute('data-difference'))).toBeLessThan(1e-4)
    expect(await verdict.innerText()).toContain('the same answer')
    await runtime('onnxruntime-web · wasm · int8').check()
    await panel()
      .getByRole('row')
      .nth(3)
      .getByRole('cell', { name: /onnxruntime-web 1\./ })
      .waitFor()
    await expect.poll(async () => Number(await verdict.getAttribute('data-difference'))).toBeGreaterThan(1e-3)
  })

  it('shows each token with its id and the characters that it comes from', async () => {
    const tokens = panel().locator('.tokens li')
    await expect.poll(() => tokens.count()).toBe(12)
    const { stdout } = await albertkit(['tokenize', ZH_NEWS, lines, '--json'])
    const { tokens: names, ids, offsets } = JSON.parse(stdout) as Record<'tokens' | 'ids' | 'offsets', unknown[]>
    const texts = await tokens.allInnerTexts()
    expect(texts.slice(1, -1).map((text) => text.split(/\s+/))).toEqual(
      names.map((name, i) => [name, String(ids[i]), (offsets[i] as number[]).join('–')]),
    )
  })

  it('compares texts, and describes the model', async () => {
    await tab('Similarity').click()
    await panel().getByRole('cell', { name: '1.000' }).first().waitFor()
    expect(await complaints(web.page)).toEqual([])
    await tab('Model').click()
    await panel().getByText('Stored parameters').waitFor()
  })

  it('looks into layers and heads with the reference of the command line', async () => {
    await tab('Layers and heads').click()
    await panel().getByRole('textbox').fill(TEXT)
    await panel().getByRole('button', { name: 'Look inside' }).press('Enter')
    await panel().locator('.head').first().waitFor()
    const { stdout } = await albertkit(['layers', out, '--text', lines, '--json'])
    const { layers, heads } = JSON.parse(stdout) as ModelLayers
    const shown = await panel().locator('.value-number').allInnerTexts()
    expect(shown).toEqual(layers.map(({ cosine }) => cosine.toFixed(6)))
    await panel().getByRole('combobox', { name: 'Layer' }).selectOption('Layer 2')
    await panel().getByRole('button', { name: 'Head 1' }).click()
    const head = panel().getByRole('button', { name: 'Head 1' })
    const { entropy } = heads.find((one) => one.layer === 2 && one.head === 1)!
    expect(await head.innerText()).toContain(`entropy ${entropy.toFixed(2)}`)
    await panel().locator('.gaze').getByRole('button', { name: '央' }).press('Enter')
    await panel().getByText('Where “央” looks in head 1').waitFor()
    const parts = await panel().locator('.gaze small').allInnerTexts()
    const sum = parts.reduce((total, part) => total + Number.parseInt(part, 10), 0)
    expect(sum).toBeGreaterThan(90)
    expect(sum).toBeLessThan(110)
    expect(await complaints(web.page)).toEqual([])
  })

  it('reads Chinese, is dark, and fits a phone', async () => {
    await web.page.getByRole('button', { name: '中文' }).click()
    await web.page.getByRole('button', { name: '深色' }).click()
    await tab('分类').click()
    await web.page.setViewportSize({ width: 390, height: 844 })
    expect(await complaints(web.page)).toEqual([])
    const wide = await web.page.evaluate(() => document.documentElement.scrollWidth)
    expect(wide).toBeLessThanOrEqual(390)
    expect(web.wrong).toEqual([])
  })
})
