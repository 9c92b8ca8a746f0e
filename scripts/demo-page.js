// The bundled model in a web page: converts it, serves the TensorFlow.js page of docs/browser.md on the loopback interface,
// and prints its address. Type a headline into the page to classify it. Ctrl-C ends it.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convertModel } from '../dist/index.js'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const TYPES = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}
const folder = mkdtempSync(join(tmpdir(), 'albertkit-demo-'))

/** The first page of docs/browser.md. */
const [, page] = /^```html\n([^]*?)^```/m.exec(readFileSync(join(ROOT, 'docs/browser.md'), 'utf8')) ?? []

/** File that a path of the page stands for: an installed package, or the converted model; null for anything else. */
function fileOf(path) {
  const name = normalize(path).split(sep).slice(1)
  const base = name[0] === 'node_modules' ? ROOT : name[0] === 'model' ? folder : null
  const file = base === null ? null : join(base, ...name)
  return file !== null && existsSync(file) && statSync(file).isFile() ? file : null
}

const report = await convertModel(join(ROOT, 'fixtures/zh-news'), join(folder, 'model'), { targets: ['tfjs'] })
if (!report.ok) throw new Error('the converted model does not equal its source')

const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
  if (path === '/') {
    response.writeHead(200, { 'content-type': 'text/html' }).end(page)
    return
  }
  const file = fileOf(path)
  response.writeHead(file === null ? 404 : 200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' })
  response.end(file === null ? undefined : readFileSync(file))
})
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`open http://127.0.0.1:${server.address().port}/ and type a headline; Ctrl-C ends the server`)
})

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(0)
  })
