import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { litertContent } from '../../src/runtime/browser/content.js'
import { openPage } from '../../src/runtime/browser/launch.js'
import { NO_VALUES } from '../../src/runtime/values.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { hasLiteRt, runLiteRt } from '../helpers/run-artefact.js'
import { ZH_NEWS } from '../helpers/shared.js'

/** The snippet of docs/mobile.md for browsers, as a page of its own. */

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-snippets-'))
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

const guide = readFileSync(fileURLToPath(new URL('../../docs/mobile.md', import.meta.url)), 'utf8')
const snippet = /```html\n([\s\S]*?)```/.exec(guide)![1]!

const IDS = [2, 87, 412, 33, 1005, 3]
const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', wasm: 'application/wasm' }
/** Modules as a bundler or an import map finds them in an application. */
const IMPORTS = { '@litertjs/core': '/litert/index.js' }
const page = `<!doctype html><meta charset="utf-8">
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>
<script>
  const ids = ${JSON.stringify(IDS)}
  const types = ids.map(() => 0)
  const print = console.log
  console.log = (values) => print(JSON.stringify([...values]))
</script>
${snippet}`

describe.skipIf(CHROMIUM === null || !hasLiteRt)('docs/mobile.md', { timeout: 120_000 }, () => {
  it('the snippet for browsers prints what the file gives in Node', async () => {
    const out = join(scratch, 'model')
    await convertModel(ZH_NEWS, out, { targets: ['tflite'], sequence: 128, verify: false })
    const file = join(out, 'tflite/model.tflite')
    const { served } = litertContent(file, 'wasm', 'browser-litert-wasm', NO_VALUES)
    const server = createServer((request, response) => {
      const path = (request.url ?? '/').replace('/node_modules/@litertjs/core/wasm/', '/litert/wasm/')
      if (path === '/') return response.setHeader('content-type', 'text/html').end(page)
      const found = path === '/model/tflite/model.tflite' ? file : served.get(path)
      if (found === undefined) return response.writeHead(404).end()
      response.setHeader('content-type', TYPES[path.split('.').at(-1)!] ?? 'application/octet-stream')
      return response.end(typeof found === 'string' ? readFileSync(found) : found)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const opened = await openPage(CHROMIUM!, 'about:blank', [])
    try {
      const printed = new Promise<string>((resolve, reject) => {
        opened.page.on('console', (message) => {
          if (message.text().startsWith('[') && message.type() === 'log') resolve(message.text())
        })
        opened.page.on('pageerror', reject)
      })
      await opened.page.goto(origin)
      const logits = JSON.parse(await printed) as number[]
      const [batch, sequence] = [1, IDS.length]
      const inputs = {
        batch,
        sequence,
        input_ids: Int32Array.from(IDS),
        attention_mask: new Int32Array(sequence).fill(1),
        token_type_ids: new Int32Array(sequence),
      }
      const { data } = (await runLiteRt(file, inputs)).get('logits')!
      expect(logits).toHaveLength(10)
      logits.forEach((value, i) => {
        expect(value).toBeCloseTo(data[i]!, 5)
      })
    } finally {
      await opened.close()
      server.close()
      server.closeAllConnections()
    }
  })
})
