// Builds dist/: compiles, bundles what is slow to import file by file, and lays out the commands for oclif.
//
// The commands stand twice, from the same files. As a plugin of another CLI they are found in dist/plugin, one folder
// deep, so that they come under the topic `albertkit` and leave the host's own commands alone. For the command line
// that stands alone, dist/standalone is an oclif root of its own, whose commands are the contents of that folder.
// Every module of src/commands whose default export is a command class is a command; nothing lists them.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Plugin } from '@oclif/core'
import { build } from 'esbuild'
import { bundleWeb } from './bundle-web.js'
import { Chunks, mergeChunks } from './merge-chunks.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const standalone = join(dist, 'standalone')
/** The same commands without the plugins, which take a tenth of the time that a small command does: see main.ts. */
const ownCommands = join(standalone, 'own')
const require = createRequire(import.meta.url)
const pkg = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
const writeJson = (path, value) => write(path, `${JSON.stringify(value, null, 2)}\n`)

/** The folders of the packages that dist/ holds a part of. */
const packages = new Set()

/** Bundles `entryPoints` and remembers the packages it took code from. */
async function bundleModules(options) {
  const { metafile } = await build({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    metafile: true,
    ...options,
  })
  // What a package leaves out of a browser stands there as `(disabled):…`.
  for (const file of Object.keys(metafile.inputs)) {
    const [, folder] = /^((?!\(disabled\)).*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []
    if (folder !== undefined) packages.add(folder)
  }
  return metafile
}

function compile() {
  rmSync(dist, { recursive: true, force: true })
  try {
    execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-p', root], { stdio: 'inherit' })
  } catch {
    process.exit(1)
  }
}

/** Lets CommonJS modules have Node's own by `import`: there is no `require` in a bundle. */
const nodeModules = {
  name: 'node modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(fs|os|path|url)$/ }, ({ path, kind }) =>
      kind === 'require-call' ? { path, namespace: 'node' } : null,
    )
    onLoad({ filter: /./, namespace: 'node' }, ({ path }) => ({
      contents: `export * from 'node:${path}'`,
      loader: 'js',
    }))
  },
}

// Imported from many small files zod and protobuf take 50 ms each, from one file 10 ms and 1 ms.
async function bundle() {
  // One bundle each, or those that share code: esbuild imports chunks of helpers for nothing, and whoever bundles them
  // again is warned of it, because the package has no side effects.
  const groups = [['vendor/zod.js'], ['proto/onnx.js', 'proto/tensorflow.js'], ['proto/tflite.js']]
  for (const modules of groups)
    await bundleModules({
      entryPoints: modules.map((module) => join(dist, module)),
      outdir: dist,
      outbase: dist,
      allowOverwrite: true,
      splitting: true,
      chunkNames: 'vendor/[name]-[hash]',
      minify: true,
      legalComments: 'eof',
    })
  await bundleModules({
    entryPoints: [join(dist, 'vendor/config-files.js')],
    outdir: join(dist, 'vendor'),
    allowOverwrite: true,
    minify: true,
    legalComments: 'eof',
    plugins: [nodeModules],
    alias: { yaml: join(root, 'node_modules/yaml/browser/index.js') },
  })
  const generated = join(dist, 'proto/generated')
  for (const part of readdirSync(generated)) if (!part.endsWith('.d.ts')) rmSync(join(generated, part))
}

/** Every file below dist/ whose name ends with `ending`, by its path. */
const built = (ending) =>
  readdirSync(dist, { recursive: true })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(dist, file))

/** Lets the declarations name their own types in place of zod's. */
function replaceZodTypes() {
  const own = readFileSync(join(root, 'scripts/zod-types.d.ts'), 'utf8')
  const known = new Set([...own.matchAll(/^export (?:type|interface) ([\w$]+)/gm)].map(([, name]) => name))
  const file = join(dist, 'vendor/zod.d.ts')
  for (const path of built('.d.ts')) {
    const text = readFileSync(path, 'utf8')
    const changed = text.replaceAll(/import\("zod\/[^"]+"\)\.([\w$]+)/g, (_, name) => {
      if (!known.has(name)) throw new Error(`${path}: scripts/zod-types.d.ts lacks ${name}`)
      const up = relative(dirname(path), file)
        .replaceAll('\\', '/')
        .replace(/\.d\.ts$/, '.js')
      return `import("${up.startsWith('.') ? up : `./${up}`}").${name}`
    })
    if (changed !== text) writeFileSync(path, changed)
  }
  writeFileSync(file, own)
}

// What the browser runners open: TensorFlow.js and the page's own code in one script, so that an installed package needs
// no bundler. The wasm files are served from the installed @tensorflow/tfjs-backend-wasm; onnxruntime-web, script and
// all, from the installed package.
const PAGES = {
  'page.js': 'albertkit-page.js',
  'page-ort.js': 'albertkit-page-ort.js',
  'page-litert.js': 'albertkit-page-litert.js',
}

async function bundlePages() {
  for (const [from, to] of Object.entries(PAGES)) {
    await bundleModules({
      entryPoints: [join(dist, 'runtime/browser', from)],
      outfile: join(dist, 'browser', to),
      minify: true,
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
      legalComments: 'eof',
      logLevel: 'error',
    })
  }
  for (const name of [...Object.keys(PAGES), 'page-common.js'])
    for (const part of [name, name.replace(/js$/, 'd.ts')]) rmSync(join(dist, 'runtime/browser', part), { force: true })
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
const OWN_PROCESSES = [
  'files/hash-worker.js',
  'hub/http/fill-worker.js',
  'api/inference/window-worker.js',
  'runtime/onnx/graph-process.js',
  'api/inference/pool-process.js',
  'api/reference/product-worker.js',
  'api/reference/reference-worker.js',
  'api/runner-thread/runner-process.js',
  'api/runner-thread/runner-worker.js',
  'api/weights/ranks-worker.js',
  'api/doctor/probe-process.js',
  'api/gpu-report/gpu-step-process.js',
  'api/bench/measure-process.js',
  'api/sharded/job-process.js',
  'api/build/step-process.js',
]

// Everything from a package is imported from there, but for oclif's core and what that imports, and what commands need a
// small part of.
const BUNDLED = /^@(oclif\/core|bufbuild\/protobuf|huggingface\/tokenizers)(\/|$)/
const withOclif = {
  name: 'with oclif',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      const within = BUNDLED.test(path) || /[/\\]node_modules[/\\]/.test(importer)
      // oclif looks for it where a plugin is being developed.
      return kind === 'entry-point' || (within && path !== 'typescript') ? null : { path, external: true }
    })
  },
}

/** What CommonJS modules require of Node. esbuild does not see these names: no module may have the same. */
const REQUIRE =
  "import { createRequire as bannerRequire } from 'node:module'\nconst require = bannerRequire(import.meta.url)"

// A command loads some forty small modules of ours and a hundred of oclif's, up to a millisecond each; bundled, a
// handful. dist/cli is a whole of its own: nothing in it imports the modules beside it, of which each has another
// identity. Commands with an oclif of their own run in any host: that is how plugins are installed.
async function bundleCommands(commands) {
  const cli = join(dist, 'cli')
  const metafile = await bundleModules({
    minifyWhitespace: true,
    minifySyntax: true,
    entryPoints: ['main.js', 'complete-entry.js', ...commands.map((file) => `commands/${file}`), ...OWN_PROCESSES].map(
      (file) => ({
        in: join(dist, file),
        out: OWN_PROCESSES.includes(file) ? basename(file, '.js') : file.replace(/^commands\/|\.js$/g, ''),
      }),
    ),
    outdir: cli,
    splitting: true,
    plugins: [withOclif],
    banner: { js: REQUIRE },
  })
  const chunks = new Chunks(metafile, root, cli)
  const base = [...chunks.closure(['main.js'])].filter((name) => chunks.isWithout('@oclif/core', name))
  // What opening and describing a model takes, which most commands do.
  const model = [...chunks.closure(chunks.lazyImports('inspect.js'))].filter((name) => !base.includes(name))
  await mergeChunks(bundleModules, chunks, { 'base.js': base, 'model.js': model }, REQUIRE)
}

/** The root help below the commands, a paragraph a line: oclif wraps them. */
const HELP = [
  pkg.description,
  'Exit codes: 0 done · 1 a check said no (parity, weights, gate, budget) · 2 usage, no such file · 3 damaged or ' +
    'contradictory contents · 4 sound, but not supported · 5 the output cannot be written · 6 something on this ' +
    'machine is missing, see `albertkit doctor` · 70 unexpected, a bug · 130, 143 interrupted.',
  '',
  'Environment: ALBERTKIT_FLAG gives a flag to all commands, ALBERTKIT_COMMAND_FLAG to one ' +
    '(ALBERTKIT_CONVERT_DTYPE=int8), as `flags` of albertkit.config.json does; the command line goes first. ' +
    'ALBERTKIT_DEBUG=1 prints stack traces; CHROME_PATH names the browser; TMPDIR holds temporary files; NO_COLOR ' +
    'turns colours off.',
  '',
  `Documentation: ${pkg.homepage ?? 'the folder docs/ of the installed package'}; examples read fixtures/zh-news, a ` +
    'sample model that is found from any directory. `albertkit completion` sets up completion.',
].join('\n')

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
  /** Package file of an oclif root at `folder`. */
  const writeRoot = (folder, withPlugins) =>
    writeJson(join(folder, 'package.json'), {
      name: pkg.name,
      version: pkg.version,
      description: pkg.description,
      type: pkg.type,
      oclif: {
        bin,
        dirname: folderName,
        topicSeparator,
        additionalHelpFlags: ['-h'],
        additionalVersionFlags: ['-v'],
        description: HELP,
        commands: relative(folder, join(dist, 'plugin', bin)).replaceAll('\\', '/'),
        plugins: withPlugins ? plugins : [],
        topics: { queue: pkg.oclif.topics[`${bin}:queue`] },
      },
      dependencies: withPlugins ? Object.fromEntries(plugins.map((name) => [name, pkg.dependencies[name]])) : {},
    })
  writeRoot(standalone, true)
  writeRoot(ownCommands, false)
}

// With a manifest oclif imports one command, the one that runs; without it, all of them. The same as `oclif manifest`.
async function writeManifest(pluginRoot) {
  const plugin = new Plugin({ root: pluginRoot, type: 'core', ignoreManifest: true, errorOnManifestCreate: true })
  await plugin.load()
  const commands = Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1))
  // Parsers check the options of a command's class; shells and the help read the manifest.
  for (const [, { flags, completions = {} }] of commands)
    for (const [name, options] of Object.entries(completions)) flags[name].options = options
  // Read at each start: indentation would be a third of it.
  write(
    join(pluginRoot, 'oclif.manifest.json'),
    `${JSON.stringify({ ...plugin.manifest, commands: Object.fromEntries(commands) })}\n`,
  )
  return commands.map(([id]) => id)
}

/** Whose code dist/ holds, under which licence. */
function writeLicences() {
  const texts = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file === undefined ? '' : `\n${readFileSync(join(root, folder, file), 'utf8').trim()}\n`
    return `${name} ${version}: ${license}\n${text}`
  })
  const comment = readFileSync(join(root, 'node_modules/@bufbuild/protobuf/dist/esm/wire/varint.js'), 'utf8')
  const google = comment.slice(0, comment.search(/^(?!\/\/)/m)).replaceAll(/^\/\/ ?/gm, '')
  const rule = `\n${'-'.repeat(80)}\n\n`
  write(
    join(dist, 'THIRD-PARTY.txt'),
    ['dist/ contains code of these packages.\n', ...texts, `A part of @bufbuild/protobuf:\n\n${google}`].join(rule),
  )
}

compile()
await bundle()
replaceZodTypes()
await bundlePages()
await bundleWeb(bundleModules, { root, dist, pkg })
await layOutCommands()
// In `files` of package.json negations would do the same, but installers of oclif plugins look for each entry.
write(
  join(dist, '.npmignore'),
  '/commands/\n/main.*\n/web/runtimes/*/\n!/web/runtimes/tfjs/\n!/web/runtimes/litert/\n*.wasm\n',
)
writeLicences()
await writeManifest(root)
const ids = await writeManifest(standalone)
await writeManifest(ownCommands)
console.log(`built dist/ with the commands: ${ids.join(', ') || 'none'}`)
