// Merges chunks of a bundle. esbuild makes a chunk of what the same entry points import, which is hundreds of files for
// thirty commands; each takes Node a third of a millisecond to open, compile and link.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'

/** Chunks of a bundle by name, as esbuild's metafile has them. */
export class Chunks {
  /**
   * @param root that the paths of the metafile start at
   * @param folder of the bundle
   */
  constructor(metafile, root, folder) {
    this.folder = folder
    this.nameOf = (path) => relative(folder, join(root, path)).replaceAll('\\', '/')
    this.outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [this.nameOf(path), output]))
  }

  #imports(name, wanted) {
    const { imports } = this.outputs.get(name)
    return imports.flatMap(({ path, kind, external }) => (kind === wanted && !external ? [this.nameOf(path)] : []))
  }

  /** Chunks that an entry point imports when it runs. */
  lazyImports = (entry) => this.#imports(entry, 'dynamic-import')

  /** Chunks that `names` import when they are loaded, with themselves. */
  closure(names, found = new Set()) {
    for (const name of names)
      if (!found.has(name)) this.closure(this.#imports(name, 'import-statement'), found.add(name))
    return found
  }

  /** True if neither a chunk nor what it imports holds a module of `packageName`. */
  isWithout = (packageName, name) =>
    [...this.closure([name])].every(
      (part) =>
        !Object.keys(this.outputs.get(part).inputs).some((input) => input.includes(`node_modules/${packageName}/`)),
    )
}

/** Resolves imports of merged chunks to their new file, keeps others as they are, and drops banners without a use. */
const merging = (fileOf, banner) => ({
  name: 'merge chunks',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, kind, importer }) => {
      const file = fileOf.get(basename(path))
      if (kind === 'entry-point' || (file !== undefined && file === fileOf.get(basename(importer)))) return null
      return { path: file === undefined ? path : path.replace(/[^/]+$/, file), external: true }
    })
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      const rest = text.replace(banner, '')
      return { contents: /\brequire\b/.test(rest) ? text : rest, loader: 'js' }
    })
  },
})

/**
 * Makes one file of each group of chunks, and imports it instead of them. Chunks of a group import none but those of
 * this group and of the groups before it, so that no files import each other in a circle.
 * @param bundleModules as build.js has it
 * @param groups chunks by the name of their new file
 * @param banner of each chunk, which stays where it is used
 */
export async function mergeChunks(bundleModules, chunks, groups, banner) {
  const { folder } = chunks
  const fileOf = new Map()
  for (const [file, names] of Object.entries(groups)) {
    if (chunks.outputs.has(file)) throw new Error(`${file} is there already`)
    for (const name of [file, ...names]) fileOf.set(name, file)
    const outside = [...chunks.closure(names)].find((name) => !fileOf.has(name))
    if (outside !== undefined) throw new Error(`${file} would import ${outside}`)
    writeFileSync(join(folder, file), [...names].map((name) => `export * from './${name}'\n`).join(''))
  }
  const others = [...chunks.outputs.keys()].filter((name) => !fileOf.has(name))
  const metafile = await bundleModules({
    absWorkingDir: folder,
    entryPoints: [...Object.keys(groups), ...others],
    outdir: folder,
    outbase: folder,
    allowOverwrite: true,
    packages: 'external',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'inline',
    ignoreAnnotations: true,
    plugins: [merging(fileOf, banner)],
  })
  for (const [file, names] of Object.entries(groups)) {
    const found = new Set(metafile.outputs[file].exports)
    // `export *` leaves out a name that stands for two things.
    for (const name of names) {
      const lost = chunks.outputs.get(name).exports.filter((exported) => !found.has(exported))
      if (lost.length > 0) throw new Error(`${file} lacks ${lost.join(', ')} of ${name}`)
      rmSync(join(folder, name))
    }
  }
}
