// Bundles what runs in a page into dist/web/: `albertkit/browser` and its worker, the runtimes that need bundling, the
// workbench, and the page of a folder's artefacts. The worker is the library itself: modules of Node, and the few of ours that start threads, processes or
// native code, are replaced by those of src/web/.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

/** In place of Node's modules, below dist/web/system/. */
const NODE = {
  fs: 'fs',
  path: 'path',
  crypto: 'crypto',
  os: 'os',
  url: 'url',
  vm: 'vm',
  util: 'util',
  worker_threads: 'worker-threads',
  async_hooks: 'async-hooks',
  'timers/promises': 'timers',
}

/** In place of our own modules, below dist/. */
const OWN = {
  'base/version.js': 'web/system/version.js',
  'base/worker.js': 'web/system/worker.js',
  'api/runner-thread/process-runner.js': 'web/system/process-runner.js',
  'api/convert/demo.js': 'web/runtimes/absent.js',
  'api/inference/process-pool.js': 'web/system/process-pool.js',
  'base/optional-package.js': 'web/runtimes/optional-package.js',
  'runtime/onnx/load.js': 'web/runtimes/onnx-load.js',
  'runtime/tfjs/tfjs-backend.js': 'web/runtimes/tfjs-backend.js',
  'runtime/tfjs/tfjs-node.js': 'web/runtimes/absent.js',
  'runtime/onnx/onnxruntime-gpu.js': 'web/runtimes/onnx-gpu.js',
  'runtime/browser/runner.js': 'web/runtimes/absent.js',
  'runtime/litert/load.js': 'web/runtimes/litert-load.js',
  'hub/http/hub-place.js': 'web/runtimes/absent.js',
  'hub/http/url-place.js': 'web/runtimes/absent.js',
}

/** Folders of src/web with a page. */
const PAGES = ['page', 'demo']

const inBrowser = (dist) => ({
  name: 'in a browser',
  setup({ onResolve }) {
    onResolve({ filter: /^node:/ }, ({ path }) => {
      const own = NODE[path.slice('node:'.length)]
      return own === undefined ? null : { path: join(dist, 'web/system', `${own}.js`) }
    })
    onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      const own = OWN[relative(dist, resolve(resolveDir, path)).replaceAll('\\', '/')]
      return own === undefined ? null : { path: join(dist, own) }
    })
    // Loaded from the runtimes, as the address that is not a literal tells.
    onResolve({ filter: /^h5wasm$/ }, () => ({ path: join(dist, 'web/runtimes/h5wasm.js') }))
  },
})

/** Copies the files of the pages that are no code. */
function copyPages(root, dist) {
  for (const from of PAGES.map((page) => join(root, 'src/web', page)).filter(existsSync))
    for (const name of readdirSync(from))
      if (/\.(html|css|svg|json)$/.test(name)) copyFileSync(join(from, name), join(dist, 'web', name))
}

/** Removes the modules that are bundled, and types that no entry point names. */
function removeModules(dist) {
  for (const folder of ['kit', 'system', 'runtimes', ...PAGES])
    for (const file of readdirSync(join(dist, 'web', folder), { recursive: true })) {
      const isKept = folder === 'kit' ? file.endsWith('.d.ts') : /^(tfjs|litert)([/\\]|$)/.test(file)
      if (!isKept) rmSync(join(dist, 'web', folder, file), { recursive: true, force: true })
    }
  rmSync(join(dist, 'browser-entry.js'))
}

/** LiteRT's library, and its script as a module: workers of modules run no scripts. */
async function bundleLiteRt(bundleModules, { root, web, common }) {
  const folder = join(root, 'node_modules/@litertjs/core')
  // An optional package.
  if (!existsSync(folder)) return
  const outdir = join(web, 'runtimes/litert')
  await bundleModules({ ...common, entryPoints: { litert: join(folder, 'dist/index.js') }, outdir })
  const script = readFileSync(join(folder, 'wasm/litert_wasm_internal.js'), 'utf8')
  const contents = `${script.slice(0, script.lastIndexOf('// Export using a UMD style'))}\nexport default ModuleFactory\n`
  const external = ['module', 'fs', 'path', 'url', 'vm', 'worker_threads', 'crypto', 'node:*']
  await bundleModules({
    ...common,
    stdin: { contents, resolveDir: folder },
    outfile: join(outdir, 'litert_wasm_internal.js'),
    external,
  })
}

/** @param bundleModules bundles and remembers whose code it took */
export async function bundleWeb(bundleModules, { root, dist, pkg }) {
  const web = join(dist, 'web')
  const common = {
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    logLevel: 'error',
  }
  const { version, homepage, bugs } = pkg
  await bundleModules({
    ...common,
    entryPoints: { 'albertkit-worker': join(web, 'kit/worker.js') },
    outdir: web,
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    plugins: [inBrowser(dist)],
    inject: [join(web, 'system/globals.js')],
    define: { ALBERTKIT_PACKAGE: JSON.stringify({ version, homepage, bugs }) },
  })
  await bundleModules({ ...common, entryPoints: { albertkit: join(dist, 'browser-entry.js') }, outdir: web })
  for (const [name, page] of [
    ['workbench', 'page'],
    ['demo', 'demo'],
  ])
    await bundleModules({ ...common, entryPoints: { [name]: join(web, page, 'main.js') }, outdir: web })
  await bundleModules({
    ...common,
    entryPoints: {
      tfjs: join(web, 'runtimes/tfjs-bundle.js'),
      'tfjs-webgpu': join(web, 'runtimes/tfjs-webgpu-bundle.js'),
    },
    // Both have one core, whose kernels and backends are global.
    splitting: true,
    outdir: join(web, 'runtimes/tfjs'),
    // Packages of TensorFlow.js look for Node.
    define: { global: 'globalThis' },
  })
  await bundleLiteRt(bundleModules, { root, web, common })
  copyPages(root, dist)
  removeModules(dist)
}
