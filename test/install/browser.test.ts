import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findBrowser } from '../../src/runtime/browser/find.js'
import { ROOT, run, userEnv } from '../helpers/run.js'

/**
 * The pages of docs/browser.md, with the packages and the model that its own shell block installs and converts, in
 * Chromium: from a static server, on a cross-origin isolated page, under a content security policy, and built by Vite.
 */
const folder = mkdtempSync(join(tmpdir(), 'albertkit-browser-'))
const env = userEnv({ CI: 'true', NO_COLOR: '1', npm_config_prefer_offline: 'true', ONNXRUNTIME_NODE_INSTALL: 'skip' })
const document = readFileSync(join(ROOT, 'docs/browser.md'), 'utf8')
const PAGES = ['tfjs', 'ort', 'transformers'] as const
const TEXT = '央行下调存款准备金率'

/** The fenced block in `language` that stands after the line that begins with `name` in backquotes. */
function block(name: string, language: string): string {
  const [, text] = new RegExp(`^\`${name}\`[^]*?^\`\`\`${language}\n([^]*?)^\`\`\``, 'm').exec(document) ?? []
  if (text === undefined) throw new Error(`docs/browser.md has no ${name}`)
  return text
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** Serves a directory as any static server does, with `headers` on every answer. */
async function serve(directory: string, headers: Readonly<Record<string, string>> = {}): Promise<Server> {
  const server = createServer((request, response) => {
    const file = join(directory, decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname))
    const found = existsSync(file) && statSync(file).isFile()
    response.writeHead(found ? 200 : 404, { ...headers, 'content-type': TYPES[extname(file)] ?? 'text/plain' })
    response.end(found ? readFileSync(file) : undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

let browser: Browser | undefined
let expected: string

/** The answer that a page shows; every request of it must stay on the loopback interface and succeed. */
async function answerOf(server: Server, page: string): Promise<{ answer: string; isolated: boolean }> {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tab = await browser!.newPage()
  const wrong: string[] = []
  tab.on('pageerror', (error) => wrong.push(error.message))
  tab.on('request', (request) => {
    if (!request.url().startsWith(origin) && !/^(blob|data):/.test(request.url())) wrong.push(request.url())
  })
  tab.on('response', (response) => {
    if (!response.ok() && !response.url().endsWith('/favicon.ico')) wrong.push(`${response.status()} ${response.url()}`)
  })
  try {
    await tab.goto(`${origin}/${page}.html`)
    const output = tab.locator('#answer')
    await expect
      .poll(async () => (wrong.length > 0 ? wrong.join('\n') : await output.innerText()), { timeout: 20_000 })
      .toMatch(/ 0\./)
    // The page answers what is typed, too.
    const first = await output.innerText()
    await tab.locator('#text').fill('国足今晚迎战对手')
    await tab.locator('#text').blur()
    await expect.poll(async () => output.innerText(), { timeout: 20_000 }).not.toBe(first)
    expect(wrong).toEqual([])
    return { answer: first, isolated: await tab.evaluate(() => crossOriginIsolated) }
  } finally {
    await tab.close()
    server.closeAllConnections()
    server.close()
  }
}

beforeAll(async () => {
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: ROOT,
    env,
  })
  expect(packed.code, packed.stderr).toBe(0)
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
  const [, commands = ''] = /```sh\n([^]*?)```/.exec(document) ?? []
  const shell = commands.replace('npm install albertkit', `npm install --no-audit --no-fund ${join(folder, filename)}`)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'site', private: true, type: 'module' }))
  const done = await run('bash', ['-euc', shell], { cwd: folder, env })
  expect(done.code, done.stderr).toBe(0)
  for (const page of PAGES) writeFileSync(join(folder, `${page}.html`), block(`${page}.html`, 'html'))
  const line = `echo ${TEXT} | npx albertkit predict fixtures/zh-news --format tsv`
  const [label = '', probability = ''] = (await run('bash', ['-euc', line], { cwd: folder, env })).stdout.split('\t')
  expected = `${label} ${Number(probability).toFixed(6)}`
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  browser = await chromium.launch({ executablePath: findBrowser(), args: root })
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

describe.each(PAGES)('%s.html gives the class and the probability of the command line', (page) => {
  it('from a static server', async () => {
    expect(await answerOf(await serve(folder), page)).toEqual({ answer: expected, isolated: false })
  })

  it('on a cross-origin isolated page, with threads', async () => {
    expect(await answerOf(await serve(folder, ISOLATED), page)).toEqual({ answer: expected, isolated: true })
  })

  it('under the content security policy that the document names', async () => {
    const [, policy = ''] = /`(script-src [^`]*)`/.exec(document) ?? []
    const server = await serve(folder, { 'content-security-policy': policy })
    expect(await answerOf(server, page)).toMatchObject({ answer: expected })
  })
})

describe('the same code, built by Vite', () => {
  const site = join(folder, 'vite')

  /** A page whose script is a module of Vite's: packages by their names, models from the modules of the document. */
  function viteScript(page: (typeof PAGES)[number]): string {
    const [, code = ''] = /<script type="module">\n([^]*?)<\/script>/.exec(block(`${page}.html`, 'html')) ?? []
    const named = code
      .replace(/'\.\/node_modules\/@huggingface\/tokenizers\/[^']*'/, "'@huggingface/tokenizers'")
      .replace(/'\.\/node_modules\/onnxruntime-web\/[^']*'/, "'onnxruntime-web/wasm'")
    if (page === 'ort') return named
    const elsewhere =
      page === 'tfjs'
        ? /^ *(tf\.wasm\.|await tf\.setBackend|const model =).*\n/gm
        : /^ *(import|env\.|const classifier =).*\n/gm
    const first =
      page === 'tfjs'
        ? "import * as tf from '@tensorflow/tfjs-core'\nimport { model } from './tfjs.js'\n"
        : "import { classifier } from './classifier.js'\n"
    return first + named.replace(elsewhere, '')
  }

  beforeAll(async () => {
    mkdirSync(join(site, 'public'), { recursive: true })
    for (const page of PAGES) {
      const html = block(`${page}.html`, 'html').replace(
        /<script[^]*<\/script>/,
        `<script type="module" src="/${page}.main.js"></script>`,
      )
      writeFileSync(join(site, `${page}.html`), html)
      writeFileSync(join(site, `${page}.main.js`), viteScript(page))
    }
    for (const name of ['tfjs.js', 'classifier.js']) writeFileSync(join(site, name), block(name, 'js'))
    const input = JSON.stringify(PAGES.map((page) => `${page}.html`))
    const config = `export default { build: { target: 'esnext', rollupOptions: { input: ${input} } } }\n`
    writeFileSync(join(site, 'vite.config.js'), config)
    writeFileSync(join(site, 'package.json'), JSON.stringify({ name: 'site', private: true, type: 'module' }))
    const packages = 'vite @huggingface/tokenizers @huggingface/transformers @tensorflow/tfjs-core@4.22 '
    const tfjs = '@tensorflow/tfjs-converter@4.22 @tensorflow/tfjs-backend-wasm@4.22'
    const shell = `npm install --no-audit --no-fund --ignore-scripts ${packages}${tfjs}\ncp -r ../model public/\nnpx vite build`
    const { code, stderr } = await run('bash', ['-euc', shell], { cwd: site, env })
    expect(code, stderr).toBe(0)
  })

  it.each(PAGES)('%s', async (page) => {
    expect(await answerOf(await serve(join(site, 'dist')), page)).toMatchObject({ answer: expected })
  })
})
