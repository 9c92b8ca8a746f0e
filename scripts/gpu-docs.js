// Makes the sections of docs/gpu.md from the reports in docs/gpu-reports, one a machine; with a report it is added, or
// takes the place of the one called so. What names the machine is left out, and a report with paths is refused.
//
//   npm run gpu:docs [-- REPORT.json NAME]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import prettier from 'prettier'
import { gpuDocument } from './gpu-document.js'

const at = (path) => fileURLToPath(new URL(`../docs/${path}`, import.meta.url))
const options = await prettier.resolveConfig(at('gpu.md'))
const formatted = (text, parser) => prettier.format(text, { ...options, parser })
const [given, name] = process.argv.slice(2)
if (given !== undefined) {
  if (name === undefined) throw new Error('npm run gpu:docs -- REPORT.json NAME')
  const report = JSON.parse(readFileSync(given, 'utf8'))
  // A kernel's build often names its machine.
  report.system.release = /^\d+(\.\d+)?/.exec(report.system.release)?.[0] ?? ''
  writeFileSync(at(`gpu-reports/${name}.json`), await formatted(JSON.stringify(report), 'json'))
}
const reports = readdirSync(at('gpu-reports')).sort()
const texts = reports.map((file) => readFileSync(at(`gpu-reports/${file}`), 'utf8'))
const made = gpuDocument(readFileSync(at('gpu.md'), 'utf8'), texts)
writeFileSync(at('gpu.md'), await formatted(made, 'markdown'))
