import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from '../helpers/gpu.js'
import { ROOT } from '../helpers/run.js'
import { below, complaints, firstPaint, openWebPage, type WebPage } from '../helpers/web-page.js'
import { openSource } from '../../src/api/open/source.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-workbench-'))

let web: WebPage
beforeAll(async () => {
  if (CHROMIUM === null) return
  web = await openWebPage(folder, [], {
    path: '',
    viewport: { width: 1000, height: 800 },
    acceptDownloads: true,
  })
}, 60_000)
afterAll(async () => {
  await (web as WebPage | undefined)?.close()
  rmSync(folder, { recursive: true, force: true })
})

const tab = (name: string) => web.page.getByRole('tab', { name })
const panel = () => web.page.getByRole('tabpanel')

describe.skipIf(CHROMIUM === null)('the workbench', () => {
  it('is small, and painted at once', async () => {
    const script = readFileSync(join(ROOT, 'dist/web/workbench.js'))
    expect(gzipSync(script).length).toBeLessThan(40_000)
    const built = below(join(ROOT, 'dist/web'), '').filter(([path]) => !path.endsWith('.d.ts'))
    // What a package takes along: the runtimes come from packages of their own.
    const own = built.filter(([path]) => !/^\/(runtimes\/(?!(tfjs|litert)\/.*\.js)|sample\/)/.test(path))
    expect(own.reduce((sum, [, file]) => sum + readFileSync(file).length, 0)).toBeLessThan(2.4e6)
    // Half a second on an idle machine.
    expect(await firstPaint(web.page)).toBeLessThan(3000)
  })

  it('opens the sample and describes it, with the keyboard alone', async () => {
    expect(await complaints(web.page)).toEqual([])
    await web.page.getByRole('button', { name: 'Try the sample model' }).press('Enter')
    await panel().getByText('brightmart albert_zh', { exact: true }).waitFor()
    expect(await panel().innerText()).toContain('524,688')
    await tab('Overview').focus()
    await web.page.keyboard.press('ArrowRight')
    await panel().getByText('109,482,240').first().waitFor()
    expect(await tab('Parameters').getAttribute('aria-selected')).toBe('true')
    await panel().getByLabel('Embedding size E').fill('32')
    await panel().getByText('E 32').first().waitFor()
    expect(await complaints(web.page)).toEqual([])
  })

  it('shows what a model is no model for', async () => {
    const input = web.page.locator('input[type=file]').first()
    await input.setInputFiles({ name: 'poem.safetensors', mimeType: '', buffer: Buffer.from('To be, or not to be') })
    const alert = web.page.getByRole('alert')
    await alert.waitFor()
    expect(await alert.innerText()).toContain('poem.safetensors')
    expect(await web.page.locator('.model').count()).toBe(1)
  })

  it('converts, verifies, and gives an archive that can be read', async () => {
    await tab('Convert').click()
    await panel().getByRole('group', { name: 'ONNX' }).getByLabel('int8').check()
    await panel().getByRole('button', { name: 'Convert' }).click()
    await panel().locator('td', { hasText: 'onnx/model_int8.onnx' }).waitFor({ timeout: 60_000 })
    expect(await panel().innerText()).toMatch(/onnxruntime-web 1\./)
    expect(await panel().locator('.state.bad').count()).toBe(0)
    // Without a dialog of files the browser downloads.
    await web.page.evaluate(() => {
      Object.assign(globalThis, { showSaveFilePicker: undefined })
    })
    const download = web.page.waitForEvent('download')
    await panel().getByRole('button', { name: 'Download as zip' }).click()
    const archive = join(folder, 'out.zip')
    await (await download).saveAs(archive)
    const source = await openSource(`${archive}/onnx/model.onnx`).catch(() => openSource(archive))
    expect(source.tensors.size).toBeGreaterThan(20)
    source.close()
    expect(await complaints(web.page)).toEqual([])
  })

  it('writes into a folder of the user what the archive has', async () => {
    // A folder of the browser stands for the one that a user chooses.
    await web.page.evaluate(() => {
      const showDirectoryPicker = async (): Promise<FileSystemDirectoryHandle> =>
        (await navigator.storage.getDirectory()).getDirectoryHandle('chosen', { create: true })
      Object.assign(globalThis, { showDirectoryPicker })
    })
    await panel().getByRole('button', { name: 'Write to a folder' }).click()
    await panel().getByText('Saving …').waitFor()
    await panel().getByText('Saved.').waitFor()
    const written = await web.page.evaluate(async () => {
      const chosen = await (await navigator.storage.getDirectory()).getDirectoryHandle('chosen')
      const onnx = await chosen.getDirectoryHandle('onnx')
      const sizeOf = async (folder: FileSystemDirectoryHandle, name: string): Promise<number> =>
        (await (await folder.getFileHandle(name)).getFile()).size
      return [
        await sizeOf(onnx, 'model.onnx'),
        await sizeOf(onnx, 'model_int8.onnx'),
        await sizeOf(chosen, 'albertkit.json'),
      ]
    })
    expect(written[0]).toBeGreaterThan(written[1]!)
    expect(written[1]).toBeGreaterThan(100_000)
    expect(written[2]).toBeGreaterThan(1000)
  })

  it('takes files that are dropped on it', async () => {
    const before = await web.page.locator('.model').count()
    await web.page.evaluate(async () => {
      // What a script drops has no handles, nor has a drop in other browsers.
      Object.assign(DataTransferItem.prototype, { getAsFileSystemHandle: undefined })
      const dataTransfer = new DataTransfer()
      for (const name of ['albert_config.json', 'model.ckpt.index', 'model.ckpt.data-00000-of-00001', 'vocab.txt'])
        dataTransfer.items.add(new File([await (await fetch(`sample/${name}`)).blob()], name))
      const place = document.querySelector('.drop')!
      place.dispatchEvent(new DragEvent('dragover', { dataTransfer, bubbles: true, cancelable: true }))
      place.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
    })
    await web.page.locator('.model').nth(before).waitFor()
    expect(await panel().innerText()).toContain('brightmart albert_zh')
    await web.page.locator('.model .close').last().click()
    expect(await web.page.locator('.model').count()).toBe(before)
  })

  it('compares and examines, in Chinese and in the dark', async () => {
    await web.page.getByRole('button', { name: '中文' }).click()
    await web.page.getByRole('button', { name: '深色' }).click()
    expect(await web.page.evaluate(() => document.documentElement.lang)).toBe('zh-CN')
    await tab('权重').click()
    await panel().getByRole('button', { name: '检查权重' }).click()
    await panel().getByText('结论').waitFor()
    await web.page.getByRole('button', { name: '试用示例模型' }).click()
    await web.page.locator('.model').nth(1).waitFor()
    await tab('比较').click()
    await panel().getByRole('button', { name: '比较' }).click()
    await panel().getByText('两个模型相同。').waitFor()
    expect(await complaints(web.page)).toEqual([])
    // A phone.
    await web.page.setViewportSize({ width: 390, height: 844 })
    const wide = await web.page.evaluate(() => document.documentElement.scrollWidth)
    expect(wide).toBeLessThanOrEqual(390)
    expect(web.wrong).toEqual([])
  })
})
