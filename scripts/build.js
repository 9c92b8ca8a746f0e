// Builds dist/: compiles, bundles what is slow to import file by file, and lays out the commands for oclif.
//
// The commands stand twice, from the same files. As a plugin of another CLI they are found in dist/plugin, one folder
// deep, so that they come under the topic `albertkit` and leave the host's own commands alone. For the command line
// that stands alone, dist/standalone is an oclif root of its own, whose commands are the contents of that folder.
// Every module of src/commands whose default export is a command class is a command; nothing lists them.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Plugin } from '@oclif/core'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const require = createRequire(import.meta.url)
const pkg = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
const writeJson = (path, value) => write(path, `${JSON.stringify(value, null, 2)}\n`)

function compile() {
  rmSync(dist, { recursive: true, force: true })
  try {
    execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', root], { stdio: 'inherit' })
  } catch {
    process.exit(1)
  }
}

// cli-table3 measures text with a regular expression of all emoji, whose compilation takes as long as drawing the table;
// tables are fitted with another measure of ours, and the two should agree.
const ownWidths = {
  name: 'own widths',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^string-width$/ }, () => ({ path: 'string-width', namespace: 'own' }))
    onLoad({ filter: /./, namespace: 'own' }, () => ({
      contents: `module.exports = require(${JSON.stringify(join(dist, 'report/display-width.js'))}).displayWidth`,
      resolveDir: dist,
    }))
  },
}

// Imported from many small files zod and protobuf take 50 ms each, from one file 10 ms and 1 ms.
async function bundle() {
  const modules = [
    'vendor/zod.js',
    'vendor/cli-table3.js',
    'vendor/snappyjs.js',
    'proto/onnx.js',
    'proto/tensorflow.js',
  ].map((module) => join(dist, module))
  await build({
    entryPoints: modules,
    outdir: dist,
    outbase: dist,
    plugins: [ownWidths],
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    chunkNames: 'vendor/[name]-[hash]',
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'eof',
    logLevel: 'warning',
  })
  for (const module of modules) rmSync(`${module}.map`)
  const generated = join(dist, 'proto/generated')
  for (const part of readdirSync(generated)) if (!part.endsWith('.d.ts')) rmSync(join(generated, part))
  const comment = readFileSync(join(root, 'node_modules/@bufbuild/protobuf/dist/esm/wire/varint.js'), 'utf8')
  write(
    join(dist, 'THIRD-PARTY.txt'),
    [
      'dist/vendor/zod.js contains zod:\n',
      readFileSync(join(root, 'node_modules/zod/LICENSE'), 'utf8'),
      'dist/proto/ and dist/vendor/ contain @bufbuild/protobuf, under the Apache License 2.0 and, in part:\n',
      comment.slice(0, comment.search(/^(?!\/\/)/m)).replaceAll(/^\/\/ ?/gm, ''),
      'dist/browser/ contains TensorFlow.js (@tensorflow/tfjs-core, -converter and its backends), under the Apache License 2.0.\n',
    ].join('\n'),
  )
}

// What the browser runners open: TensorFlow.js and the page's own code in one script, so that an installed package needs
// no bundler. The wasm files are served from the installed @tensorflow/tfjs-backend-wasm; onnxruntime-web, script and
// all, from the installed package.
const PAGES = { 'page.js': 'albertkit-page.js', 'page-ort.js': 'albertkit-page-ort.js' }

async function bundlePages() {
  for (const [from, to] of Object.entries(PAGES)) {
    await build({
      entryPoints: [join(dist, 'runtime/browser', from)],
      outfile: join(dist, 'browser', to),
      bundle: true,
      minify: true,
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
      legalComments: 'eof',
      logLevel: 'error',
    })
  }
  for (const name of [...Object.keys(PAGES), 'page-common.js'])
    for (const part of [name, `${name}.map`, name.replace(/js$/, 'd.ts')])
      rmSync(join(dist, 'runtime/browser', part), { force: true })
}

/** Every module of src/commands whose default export is a command class, by its path below that folder. */
async function findCommands() {
  const found = []
  for (const file of readdirSync(join(dist, 'commands'), { recursive: true }).sort()) {
    if (!file.endsWith('.js')) continue
    const { default: command } = await import(pathToFileURL(join(dist, 'commands', file)))
    if (typeof command?.run === 'function') found.push(file)
  }
  return found
}

// What starts as a thread or a process of its own lies beside the code that starts it.
const OWN_PROCESSES = ['export/hash-worker.js', 'api/text/window-worker.js', 'api/doctor/probe-process.js']

// A command loads some forty small modules of ours, a millisecond each; bundled, a handful. dist/cli is a whole of its
// own: nothing in it imports the modules beside it, of which each has another identity.
async function bundleCommands(commands) {
  await build({
    entryPoints: [...commands.map((file) => `commands/${file}`), ...OWN_PROCESSES].map((file) => ({
      in: join(dist, file),
      out: OWN_PROCESSES.includes(file) ? basename(file, '.js') : file.replace(/^commands\/|\.js$/g, ''),
    })),
    outdir: join(dist, 'cli'),
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  })
}

async function layOutCommands() {
  const folder = join(dist, 'plugin', pkg.oclif.bin)
  const commands = await findCommands()
  await bundleCommands(commands)
  for (const file of commands) {
    const up = '../'.repeat(file.split(/[/\\]/).length + 1)
    write(join(folder, file), `export { default } from '${up}cli/${file}'\n`)
  }
  const plugins = Object.keys(pkg.dependencies).filter((name) => name.startsWith('@oclif/plugin-'))
  const { bin, dirname: folderName, topicSeparator } = pkg.oclif
  writeJson(join(dist, 'standalone/package.json'), {
    name: pkg.name,
    version: pkg.version,
    description: pkg.description,
    type: pkg.type,
    oclif: {
      bin,
      dirname: folderName,
      topicSeparator,
      commands: `../plugin/${bin}`,
      plugins,
      topics: { queue: pkg.oclif.topics[`${bin}:queue`] },
    },
    dependencies: Object.fromEntries(plugins.map((name) => [name, pkg.dependencies[name]])),
  })
}

// With a manifest oclif imports one command, the one that runs; without it, all of them. The same as `oclif manifest`.
async function writeManifest(pluginRoot) {
  const plugin = new Plugin({ root: pluginRoot, type: 'core', ignoreManifest: true, errorOnManifestCreate: true })
  await plugin.load()
  const commands = Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1))
  writeJson(join(pluginRoot, 'oclif.manifest.json'), { ...plugin.manifest, commands: Object.fromEntries(commands) })
  return commands.map(([id]) => id)
}

compile()
await bundle()
await bundlePages()
await layOutCommands()
await writeManifest(root)
const ids = await writeManifest(join(dist, 'standalone'))
console.log(`built dist/ with the commands: ${ids.join(', ') || 'none'}`)
