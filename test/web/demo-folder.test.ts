import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkDirectory } from '../../src/api/check/check.js'
import { convertModel } from '../../src/api/convert/convert.js'
import { openModel } from '../../src/api/open/open.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { staticServer } from '../helpers/static-server.js'
import { openPage, type WebPage } from '../helpers/web-page.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-demo-folder-'))
const out = join(folder, 'models', 'news')
const lines = join(folder, 'lines.txt')
const TEXT = '国家队公布新一期集训名单'

beforeAll(async () => {
  writeFileSync(lines, `${TEXT}\n`)
  mkdirSync(join(folder, 'models'))
  const { notes } = await convertModel(ZH_NEWS, out, { targets: ['tfjs', 'onnx'], demo: true, verify: false })
  expect(notes.at(-1)).toContain('demo/ is a page')
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runtimes that lie in the folder of the page. */
const runtimesIn = (files: readonly { readonly name: string }[]): string[] =>
  [...new Set(files.flatMap(({ name }) => /^demo\/runtimes\/([^/]+)/.exec(name)?.[1] ?? []))].sort()

describe('the page that convert writes beside artefacts', () => {
  it('is listed in the manifest, with the runtimes of the formats alone', async () => {
    const { ok, files, unlisted } = await checkDirectory(out)
    expect([ok, unlisted]).toEqual([true, []])
    const own = files.filter(({ name }) => name.startsWith('demo/'))
    expect(own.map(({ name }) => name)).toContain('demo/index.html')
    expect(runtimesIn(own)).toEqual(['ort', 'tfjs'])
    // A changed page is found, and keeps nobody from reading the model.
    const page = join(out, 'demo/demo.css')
    const before = readFileSync(page)
    writeFileSync(page, 'body {}')
    expect(await checkDirectory(out)).toMatchObject({ ok: false })
    const opened = await openModel(out)
    expect(opened.notes.join()).not.toContain('demo/')
    opened.close()
    writeFileSync(page, before)
  })

  it('is written anew with the files that it needs then', async () => {
    const again = join(folder, 'again')
    await convertModel(ZH_NEWS, again, { targets: ['tfjs'], demo: true, verify: false })
    await convertModel(ZH_NEWS, again, { targets: ['onnx'], force: true, verify: false })
    expect(runtimesIn((await checkDirectory(again)).files)).toEqual(['tfjs'])
    writeFileSync(join(again, 'demo/old.js'), '')
    await convertModel(ZH_NEWS, again, { targets: ['onnx'], demo: true, force: true, verify: false })
    const { ok, files, unlisted } = await checkDirectory(again)
    expect([ok, unlisted, runtimesIn(files)]).toEqual([true, [], ['ort', 'tfjs']])
  })

  it('replaces no folder of a user', async () => {
    const own = join(folder, 'own')
    mkdirSync(join(own, 'demo'), { recursive: true })
    writeFileSync(join(own, 'demo/mine.txt'), 'mine')
    await expect(convertModel(ZH_NEWS, own, { targets: ['tfjs'], demo: true, force: true })).rejects.toMatchObject({
      code: 'output-exists',
    })
    expect(readFileSync(join(own, 'demo/mine.txt'), 'utf8')).toBe('mine')
  })
})

describe.skipIf(CHROMIUM === null)('that page on a plain web server', () => {
  let web: WebPage
  beforeAll(async () => {
    web = await openPage(await staticServer(folder), { path: 'models/news/demo/', locale: 'en' })
  }, 60_000)
  afterAll(async () => {
    await (web as WebPage | undefined)?.close()
  })

  it('answers as the command line does, without ranges, isolation or other headers', async () => {
    const { page, wrong } = web
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
    await page.getByRole('heading', { name: 'albertkit · news' }).waitFor()
    await page.getByRole('textbox', { name: 'Text', exact: true }).fill(TEXT)
    await page.getByRole('checkbox', { name: 'onnxruntime-web · wasm · f32' }).check()
    await page.getByText('They give the same answer').waitFor()
    const best = page.locator('.top-value')
    await page.getByText(`${TEXT.length + 2} tokens`).waitFor()
    const { stdout } = await albertkit(['predict', out, lines, '--format', 'tsv'])
    const [label, probability] = stdout.trim().split('\t')
    expect(await best.locator('.value-name').innerText()).toBe(label)
    expect(Number(await best.locator('.value-number').innerText())).toBeCloseTo(Number(probability), 5)
    expect(wrong).toEqual([])
  })

  it('runs no file that was changed since it was converted', async () => {
    const file = join(out, 'onnx/model.onnx')
    const bytes = readFileSync(file)
    bytes[bytes.length - 1]! ^= 1
    writeFileSync(file, bytes)
    await web.page.reload()
    await web.page.getByRole('alert').getByText('is not the file that was converted').first().waitFor()
  })
})
