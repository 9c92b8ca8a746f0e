import { mkdtempSync, readdirSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM } from '../helpers/gpu.js'
import { commandsOf } from '../helpers/manifest.js'
import { ROOT, run } from '../helpers/run.js'
import { staticServer } from '../helpers/static-server.js'
import { openPage } from '../helpers/web-page.js'

const out = mkdtempSync(join(tmpdir(), 'albertkit-site-'))
const VITEPRESS = join(ROOT, 'node_modules/vitepress/bin/vitepress.js')
let built: { code: number | null; stdout: string; stderr: string }
beforeAll(async () => {
  built = await run(process.execPath, [VITEPRESS, 'build', 'docs', '--outDir', out], { cwd: ROOT })
}, 400_000)
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

it('builds without a link that leads nowhere', () => {
  expect(built.code, built.stderr).toBe(0)
  expect(built.stdout + built.stderr).not.toContain('dead link')
})

it('describes every type of the library that another one names', async () => {
  const typedoc = join(ROOT, 'node_modules/typedoc/bin/typedoc')
  const { code, stdout, stderr } = await run(process.execPath, [typedoc, '--emit', 'none'], { cwd: ROOT })
  expect(code, stdout + stderr).toBe(0)
})

it('has a page for each document, guide and command', () => {
  const pages = (folder: string): string[] =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md') && !name.startsWith('['))
      .map((name) => join(folder, name.replace(/^README/, 'index').replace(/\.md$/, '.html')))
  const commands = Object.values(commandsOf('standalone')).map(
    ({ id }) => `docs/commands/${id.replaceAll(':', '-')}.html`,
  )
  const wanted = ['index.html', 'zh-CN.html', ...pages('docs'), ...pages('docs/guides'), ...commands]
  expect(commands.length).toBeGreaterThan(20)
  expect(wanted.filter((page) => !existsSync(join(out, page)))).toEqual([])
})

it('has commands with their flags', () => {
  const text = readFileSync(join(out, 'docs/commands/convert.html'), 'utf8')
  const flags = Object.keys(commandsOf('standalone').convert?.flags ?? {})
  expect(flags.length).toBeGreaterThan(20)
  expect(flags.filter((name) => !text.includes(`-${name}`) && !text.includes(`[no-]${name}`))).toEqual([])
  expect(text.includes('undefined')).toBe(false)
})

it('is searched without a server', () => {
  const chunks = readdirSync(join(out, 'assets/chunks'))
  const index = chunks.find((name) => name.startsWith('@localSearchIndex'))
  expect(readFileSync(join(out, 'assets/chunks', index!), 'utf8').includes('config-missing')).toBe(true)
})

describe.skipIf(CHROMIUM === null)('in a browser', () => {
  it('a page in Chinese says so, leads to pages in Chinese, and is found by words of it', async () => {
    const path = 'docs/guides/index.zh-CN.html'
    expect(readFileSync(join(out, path), 'utf8')).toContain('<html lang="zh-CN"')
    const opened = await openPage(await staticServer(out), { path })
    const { page, wrong } = opened
    try {
      await page.waitForFunction(() => document.documentElement.lang === 'zh-CN')
      const beside = await page.locator('.VPSidebar a').evaluateAll((links) => links.map((a) => a.getAttribute('href')))
      expect(beside).toContain('/docs/guides/android.zh-CN.html')
      expect(beside).not.toContain('/docs/guides/android.html')
      await page.keyboard.press('Control+k')
      await page.locator('.VPLocalSearchBox input').fill('滑动平均')
      const first = page.locator('.VPLocalSearchBox .result').first()
      expect(await first.getAttribute('href')).toContain('/docs/guides/extra-parts.zh-CN.html')
      expect(wrong).toEqual([])
    } finally {
      await opened.close()
    }
  })

  it.each(['', 'docs/guides/android.html', 'docs/commands/convert.html', 'docs/precision.html'])(
    '/%s fits a phone',
    async (path) => {
      const viewport = { width: 390, height: 844 }
      const opened = await openPage(await staticServer(out), { path, viewport })
      try {
        expect(await opened.page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
      } finally {
        await opened.close()
      }
    },
  )
})
