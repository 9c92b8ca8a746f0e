import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from '../helpers/gpu.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

/** Tables of pages, as a browser lays them out on a phone, a tablet and a desk. */
const folder = mkdtempSync(join(tmpdir(), 'albertkit-columns-'))
const PAGES = {
  weights: ['weights', ZH_NEWS],
  'params --paper': ['params', '--paper'],
  evaluate: ['evaluate', ZH_NEWS, join(ZH_NEWS, 'dev.tsv')],
  layers: ['layers', ZH_NEWS, '--text', join(ZH_NEWS, 'labels.txt')],
} as const

describe.skipIf(CHROMIUM === null)('tables of pages', () => {
  let browser: Browser
  beforeAll(async () => {
    for (const [name, args] of Object.entries(PAGES)) {
      const { code, stderr } = await albertkit([...args, '--report', join(folder, name)])
      expect(code, stderr).toBe(0)
    }
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    browser = await chromium.launch({ executablePath: CHROMIUM!, args })
  }, 120_000)
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each(Object.keys(PAGES).flatMap((name) => [390, 768, 1200].map((width) => [name, width] as const)))(
    '%s at %i pixels: columns stay apart, words stay whole',
    async (name, width) => {
      const page = await browser.newPage({ viewport: { width, height: 900 } })
      await page.goto(pathToFileURL(join(folder, name, 'index.html')).href)
      const { gaps, broken, beyond, smallest, cut } = await page.evaluate(() => {
        const box = (node: Node): DOMRect => {
          const range = document.createRange()
          range.selectNodeContents(node)
          return range.getBoundingClientRect()
        }
        const cells = [...document.querySelectorAll('td')].filter((cell) => cell.textContent !== '')
        const pairs = cells.filter(
          (c) => c.classList.contains('n') && c.nextElementSibling?.classList.contains('n') === false,
        )
        const gaps = pairs
          .filter((c) => c.nextElementSibling?.textContent !== '')
          .map((c) => box(c.nextElementSibling!).left - box(c).right)
        // Chinese breaks anywhere; a word of letters does not.
        const words = cells.flatMap((c) =>
          [...(c.firstChild?.textContent ?? '').matchAll(/(?<=^|\s)[A-Za-z]{3,14}(?=\s|$)/g)].map(
            (m) => [c, m] as const,
          ),
        )
        const broken = words.filter(([c, m]) => {
          const range = document.createRange()
          range.setStart(c.firstChild!, m.index)
          range.setEnd(c.firstChild!, m.index + m[0].length)
          return new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1
        })
        const letters = [...document.querySelectorAll('.chart .light svg text')].map(
          (text) => text.getBoundingClientRect().height,
        )
        const cut = [...document.querySelectorAll('.scroll')]
          .filter((table) => table.scrollWidth > table.clientWidth)
          .map((table) => table.previousElementSibling?.textContent)
        const beyond = document.documentElement.scrollWidth - window.innerWidth
        return {
          gaps,
          broken: broken.map(([, m]) => m[0]),
          beyond,
          cut,
          smallest: Math.min(...letters.filter((h) => h > 0)),
        }
      })
      // The page of layers has numbers alone.
      expect(gaps.length > 0).toBe(name !== 'layers')
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(14)
      expect(broken).toEqual([])
      expect(beyond).toBeLessThanOrEqual(0)
      // Only a phone has to scroll a table sideways.
      if (width >= 768) expect(cut).toEqual([])
      // Of letters, in pixels.
      expect(smallest).toBeGreaterThan(8)
      const shots = process.env.ALBERTKIT_SCREENSHOTS
      if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true })
      await page.close()
    },
  )
})
