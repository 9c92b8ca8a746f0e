import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBrowser } from '../../src/runtime/browser/find.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

/** The page of `params --report` in a real browser: no error, no request, no missing glyph, in both looks. */

function browserHere(): string | null {
  try {
    return findBrowser()
  } catch {
    console.warn('there is no Chrome or Chromium: the page is not opened in one')
    return null
  }
}
const program = browserHere()

/** One text, and the fonts that the browser wrote it with. */
interface Written {
  readonly text: string
  readonly fonts: readonly string[]
}

/** Texts of the page that are shown, each with what the browser drew it with (CSS.getPlatformFontsForNode). */
async function writtenTexts(page: Page): Promise<Written[]> {
  const session = await page.context().newCDPSession(page)
  await session.send('DOM.enable')
  await session.send('CSS.enable')
  const { root } = await session.send('DOM.getDocument', { depth: -1 })
  const found: Written[] = []
  const walk = async (node: typeof root): Promise<void> => {
    const text = (node.children ?? [])
      .filter((c) => c.nodeType === 3)
      .map((c) => c.nodeValue)
      .join('')
      .trim()
    if (text !== '' && !['STYLE', 'TITLE', 'title', 'HEAD'].includes(node.nodeName)) {
      const { fonts } = await session.send('CSS.getPlatformFontsForNode', { nodeId: node.nodeId })
      found.push({ text, fonts: fonts.map((f) => f.familyName) })
    }
    for (const child of node.children ?? []) await walk(child)
  }
  await walk(root)
  await session.detach()
  return found
}

/** Characters that are drawn as the box of a missing glyph: as U+FFFF is, which no font has. */
const missingGlyphs = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const size = 40
    const canvas = document.createElement('canvas')
    canvas.width = canvas.height = size
    const context = canvas.getContext('2d', { willReadFrequently: true })!
    context.font = `24px ${getComputedStyle(document.body).fontFamily}`
    const drawn = (text: string): string => {
      context.clearRect(0, 0, size, size)
      context.fillText(text, 4, 30)
      return context.getImageData(0, 0, size, size).data.join()
    }
    const boxes = new Set(['\uffff', '\u{effff}', '\u0378'].map(drawn))
    const characters = new Set(document.body.innerText.replace(/\s/g, ''))
    return [...characters].filter((c) => boxes.has(drawn(c)))
  })

describe.skipIf(program === null)('the page of params --report in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-page-'))
  // A name that needs the fonts of several scripts, and escaping.
  const model = join(folder, '新闻模型 <b>&"')
  const file = join(folder, 'page/index.html')
  let browser: Browser

  beforeAll(async () => {
    cpSync(ZH_NEWS, model, { recursive: true })
    const made = await albertkit(['params', model, ZH_NEWS, '--compare', 'bert-base', '--report', join(folder, 'page')])
    expect([made.code, existsSync(file)]).toEqual([0, true])
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    browser = await chromium.launch({ executablePath: program!, args })
  }, 120_000)
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(['light', 'dark'] as const)(
    '%s',
    async (colorScheme) => {
      const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 900 } })
      const wrong: string[] = []
      const requests: string[] = []
      page.on('console', (message) => wrong.push(`${message.type()}: ${message.text()}`))
      page.on('pageerror', (error) => wrong.push(error.message))
      page.on('requestfailed', (request) => wrong.push(`failed: ${request.url()}`))
      page.on('request', (request) => requests.push(request.url()))
      await page.goto(pathToFileURL(file).href)
      expect(await page.title()).toContain('新闻模型 <b>&"')
      expect(await page.locator('h2').allTextContents()).toEqual([
        'Parameters',
        'Layers',
        'Weights of 新闻模型 <b>&"',
        'Weights of zh-news',
      ])
      // Each picture stands twice on the page, and is shown in the look of the screen.
      const shown = await page.locator(`.chart .${colorScheme}:visible svg`).count()
      expect(shown).toBe(7)
      expect(await page.locator(`.chart .${colorScheme === 'light' ? 'dark' : 'light'}:visible`).count()).toBe(0)
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      expect(background).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(13, 17, 23)')
      // Nothing is wider than the screen but tables, which scroll by themselves.
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1200)
      const texts = await writtenTexts(page)
      expect(texts.length).toBeGreaterThan(300)
      const chinese = texts.filter(({ text, fonts }) => /\p{Script=Han}/u.test(text) && fonts.length > 0)
      expect(chinese.length).toBeGreaterThan(10)
      expect(await missingGlyphs(page)).toEqual([])
      expect(wrong).toEqual([])
      expect(requests.filter((url) => !url.startsWith('file:') && !url.startsWith('data:'))).toEqual([])
      const shots = process.env.ALBERTKIT_SCREENSHOTS
      if (shots !== undefined) await page.screenshot({ path: join(shots, `${colorScheme}.png`), fullPage: true })
      await page.close()
    },
    60_000,
  )

  it('the check of glyphs finds one that is missing', async () => {
    const page = await browser.newPage()
    await page.setContent('<body>a\u{effff}b\u0378</body>')
    expect(await missingGlyphs(page)).toContain('\u0378')
    await page.close()
  })
})
