// Builds albertkit as a single file for Linux x64 and this version of Node, a single executable application: Node itself,
// and the package with the production packages that are installed beside it, as a compressed archive that is unpacked
// into the user's cache at the first start. Threads, processes, wasm and native packages are then ordinary files.
//
//   node scripts/sea.js OUTPUT
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [output] = process.argv.slice(2)
if (output === undefined || process.platform !== 'linux' || process.arch !== 'x64') {
  console.error('node scripts/sea.js OUTPUT, on Linux x64')
  process.exit(2)
}
/** Mark of Node's single executable applications, in the binary of Node. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

/** The first module of the program, which cannot import files: it unpacks, and requires what can. */
const LOADER = `
const { createRequire } = require('node:module')
const { execFileSync } = require('node:child_process')
const { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } = require('node:fs')
const { homedir } = require('node:os')
const { join } = require('node:path')
const sea = require('node:sea')
let home = '/tmp/' + process.getuid()
try { home = homedir() || home } catch {}
const cache = process.env.XDG_CACHE_HOME || join(home, '.cache')
const folder = join(cache, 'albertkit', sea.getAsset('id', 'utf8'))
if (!existsSync(folder)) {
  const part = folder + '.' + process.pid
  mkdirSync(part, { recursive: true, mode: 0o700 })
  writeFileSync(join(part, 'app.tgz'), new Uint8Array(sea.getRawAsset('app')))
  execFileSync('tar', ['-xzf', 'app.tgz'], { cwd: part })
  rmSync(join(part, 'app.tgz'))
  try { renameSync(part, folder) } catch (error) {
    rmSync(part, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
}
createRequire(join(folder, 'start.cjs'))('./start.cjs')
`

/** Runs the file that a process of albertkit is to be, if this is one, else the command line. */
const START = `
const { pathToFileURL } = require('node:url')
const { join } = require('node:path')
const own = join(__dirname, 'albertkit') + require('node:path').sep
// A process that albertkit forks is this program with the file as its first argument.
const file = process.argv[2]
if (process.send !== undefined && file !== undefined && file.startsWith(own)) {
  process.argv.splice(1, 1)
  import(pathToFileURL(file).href)
} else import(pathToFileURL(join(own, 'bin/user.js')).href).then(() => import(pathToFileURL(join(own, 'dist/cli/main.js')).href)).then(({ main }) => main(join(own, 'dist/standalone/'), process.argv.slice(2)))
`

const folder = mkdtempSync(join(tmpdir(), 'albertkit-sea-'))
const at = (name) => join(folder, name)
const run = (program, args, cwd = folder) => execFileSync(program, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })

try {
  // The package as npm packs it, with its production packages.
  const packed = JSON.parse(run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root))
  writeFileSync(at('package.json'), '{"private": true}')
  const flags = ['--omit=dev', '--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  run('npm', ['install', ...flags, `./${packed[0].filename}`])
  run('mv', ['node_modules/albertkit', 'albertkit'])
  writeFileSync(at('start.cjs'), START)
  run('tar', [
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '-czf',
    'app.tgz',
    'start.cjs',
    'albertkit',
    'node_modules',
  ])
  const id = createHash('sha256')
    .update(readFileSync(at('app.tgz')))
    .digest('hex')
    .slice(0, 16)
  writeFileSync(at('id'), id)
  writeFileSync(at('loader.cjs'), LOADER)
  const config = { main: 'loader.cjs', output: 'app.blob', disableExperimentalSEAWarning: true, assets: { id: 'id', app: 'app.tgz' } } // prettier-ignore
  writeFileSync(at('sea.json'), JSON.stringify(config))
  run(process.execPath, ['--experimental-sea-config', 'sea.json'])
  copyFileSync(process.execPath, at('program'))
  chmodSync(at('program'), 0o755)
  run('npx', ['--yes', 'postject@1.0.0-alpha.6', 'program', 'NODE_SEA_BLOB', 'app.blob', '--sentinel-fuse', FUSE])
  copyFileSync(at('program'), resolve(output))
  console.log(`wrote ${output}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
