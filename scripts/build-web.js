// `npm run build:web`: makes dist/web a folder that any web server serves as it is, with the runtimes of the installed
// packages beside the page.
import { cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const { runtimeFiles, sampleFiles } = await import('../dist/api/serve/web-files.js')
const folder = fileURLToPath(new URL('../dist/web', import.meta.url))
let count = 0
const runtimes = [...runtimeFiles()].map(([path, file]) => [`runtimes/${path}`, file])
for (const [path, file] of [...runtimes, ...sampleFiles()]) {
  const target = join(folder, path)
  mkdirSync(dirname(target), { recursive: true })
  cpSync(file, target)
  count++
}
console.log(`dist/web is complete: ${count} files of runtimes and the sample model beside the page`)
