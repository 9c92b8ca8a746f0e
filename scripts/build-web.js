// `npm run build:web`: makes dist/web a folder that any web server serves as it is, with the runtimes of the installed
// packages beside the page.
import { cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const { runtimeFiles } = await import('../dist/api/serve/web-files.js')
const folder = fileURLToPath(new URL('../dist/web/runtimes', import.meta.url))
let count = 0
for (const [path, file] of runtimeFiles()) {
  const target = join(folder, path)
  mkdirSync(dirname(target), { recursive: true })
  cpSync(file, target)
  count++
}
console.log(`dist/web is complete: ${count} files of runtimes beside the page`)
