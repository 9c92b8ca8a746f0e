import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { CHROMIUM } from '../helpers/gpu.js'
import { ROOT, userEnv } from '../helpers/run.js'

describe.skipIf(CHROMIUM === null)('npm run demo:page', () => {
  it('shows the class of a headline, and of what is typed', async () => {
    const child = spawn(process.execPath, [join(ROOT, 'scripts/demo-page.js')], { env: userEnv() })
    const address = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        const [found] = /http:\S+/.exec(text) ?? []
        if (found !== undefined) resolve(found)
      })
      child.once('exit', () => {
        reject(new Error('the server ended'))
      })
    })
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args })
    try {
      const page = await browser.newPage()
      await page.goto(address)
      const answer = page.locator('#answer')
      await expect.poll(() => answer.innerText(), { timeout: 60_000 }).toMatch(/^财经 0\.99/)
      await page.locator('#text').fill('主队逆转取胜，夺得冠军')
      await page.locator('#text').blur()
      await expect.poll(() => answer.innerText(), { timeout: 60_000 }).toMatch(/^体育 0\./)
      for (const path of ['package.json', 'model/../../package.json', 'src/index.ts'])
        expect((await fetch(new URL(path, address))).status).toBe(404)
    } finally {
      await browser.close()
      child.kill('SIGINT')
    }
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
  })
})
