// Stands in for npm in blocks of documents: what they run must be a script of package.json, what they install this
// package or an optional one of it. The demonstration is run; installs and the project's own tests are not.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { scripts, ...pkg } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const packages = { albertkit: '', ...pkg.dependencies, ...pkg.optionalDependencies, ...pkg.peerDependencies }
const [command = '', ...args] = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('-'))

if (command === 'run') {
  const [script = ''] = names
  if (scripts[script] === undefined) throw new Error(`package.json has no script ${script}`)
  if (script === 'demo') process.exitCode = spawnSync(process.execPath, [`${root}scripts/demo.js`]).status ?? 1
} else if (command === 'install') {
  const unknown = names.filter((name) => packages[name] === undefined)
  if (unknown.length > 0) throw new Error(`no package of albertkit: ${unknown.join(', ')}`)
} else if (!['ci', 'init', 'test'].includes(command)) throw new Error(`npm ${command}`)
