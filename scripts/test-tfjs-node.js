// Runs models in TensorFlow itself, through the tfjs-node that scripts/build-tfjs-node.sh built in a directory:
//
//   npm run test:tfjs-node -- SCRATCH [MODEL…]
//
// Each model runs eagerly and as a tfjs artefact, against the float64 reference. Without MODEL it is the bundled one.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convertModel, verifyModel } from '../dist/index.js'

const bundled = fileURLToPath(new URL('../fixtures/zh-news', import.meta.url))
const [scratch, ...given] = process.argv.slice(2)
if (scratch === undefined || !existsSync(join(scratch, 'node_modules/@tensorflow'))) {
  console.error('usage: npm run test:tfjs-node -- SCRATCH [MODEL…], SCRATCH as scripts/build-tfjs-node.sh left it')
  process.exit(2)
}
const models = (given.length > 0 ? given : [bundled]).map((model) => resolve(model))
const folder = mkdtempSync(join(tmpdir(), 'albertkit-tfjs-node-'))
process.chdir(scratch) // the package is found from the working directory
let failed = 0
try {
  for (const [i, model] of models.entries()) {
    const output = join(folder, String(i))
    await convertModel(model, output, { targets: ['tfjs'] })
    for (const directory of [null, output]) {
      const { ok, runtimes, comparisons } = await verifyModel(model, directory, { runners: ['tfjs-node'] })
      const worst = Math.max(...comparisons.filter((c) => c.rows === undefined).map((c) => c.maxAbs ?? Infinity))
      const what = directory === null ? 'eager' : 'artefact'
      console.log(
        `${ok ? 'ok' : 'DIFFERS'}  ${model} ${what}: ${comparisons.length} comparisons, max |Δ| ${worst.toExponential(1)}, ${runtimes[0]?.detail}`,
      )
      if (!ok) failed++
    }
  }
} catch (error) {
  console.error(`${error.message}${error.hint === undefined ? '' : `\nhint: ${error.hint}`}`)
  process.exitCode = error.exitCode ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
if (failed > 0) process.exitCode = 1
