/** Kind of this installation of albertkit, deduced from the path of its files. */
export type Installation =
  /** A clone, or code of a user that bundles albertkit. */
  | { readonly kind: 'project' }
  | { readonly kind: 'npx' }
  | { readonly kind: 'pnpm-global' | 'yarn' }
  /** `root` contains the `node_modules` with albertkit. */
  | { readonly kind: 'npm' | 'pnpm'; readonly root: string }
  | { readonly kind: 'npm-global'; readonly prefix: string }

/** Properties of the machine that the command depends on. */
export interface InstallPlace {
  /** Path of one of albertkit's own files, with `/`. */
  readonly file: string
  /** Current directory, with `/`. */
  readonly cwd: string
  /** Path of the program that runs. */
  readonly node: string
}

/** Tells the kind of installation from the path of a file of albertkit. */
export function installationOf({ file }: InstallPlace): Installation {
  const at = file.indexOf('/node_modules/')
  if (at === -1) return { kind: 'project' }
  const root = file.slice(0, at)
  if (/\/_npx\/[^/]+$/.test(root)) return { kind: 'npx' }
  if (/\/pnpm\/global(\/|$)/.test(root)) return { kind: 'pnpm-global' }
  if (file.startsWith('/node_modules/.pnpm/', at)) return { kind: 'pnpm', root }
  if (/\/\.yarn(\/|$)/.test(root)) return { kind: 'yarn' }
  // npm keeps global packages in PREFIX/lib/node_modules, on Windows in PREFIX/node_modules with PREFIX called npm.
  if (root.endsWith('/lib')) return { kind: 'npm-global', prefix: root.slice(0, -'/lib'.length) }
  if (root.endsWith('/npm')) return { kind: 'npm-global', prefix: root }
  return { kind: 'npm', root }
}

const quoted = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `"${path}"`)

/** onnxruntime-node's installer downloads GPU libraries, and a failure there drops the package without a word. */
const withoutScripts = (packages: readonly string[]): string =>
  packages.includes('onnxruntime-node') ? '--ignore-scripts ' : ''

/** Command that installs `packages` in the place in which this albertkit finds them. */
export function installCommandAt(place: InstallPlace, packages: readonly string[]): string {
  const installation = installationOf(place)
  const names = `${withoutScripts(packages)}${packages.join(' ')}`
  const inside = (root: string): boolean => `${place.cwd}/`.startsWith(`${root}/`)
  switch (installation.kind) {
    case 'npx':
      return `npx --yes --package=albertkit ${packages.map((name) => `--package=${name}`).join(' ')} albertkit …`
    case 'pnpm-global':
      return `pnpm add --global ${names}`
    case 'yarn':
      return `yarn add ${packages.join(' ')}`
    case 'pnpm':
      return `pnpm add ${inside(installation.root) ? '' : `--dir ${quoted(installation.root)} `}${names}`
    case 'npm-global': {
      const usual = place.node.replaceAll('\\', '/').startsWith(`${installation.prefix}/bin/`)
      return `npm install --global ${usual ? '' : `--prefix ${quoted(installation.prefix)} `}${names}`
    }
    case 'npm':
      return `npm install ${inside(installation.root) ? '' : `--prefix ${quoted(installation.root)} `}${names}`
    case 'project':
      return `npm install ${names}`
  }
}

const slashes = (path: string): string => path.replaceAll('\\', '/')
const ownFile = (): string => slashes(decodeURIComponent(new URL(import.meta.url).pathname))

/** The command that installs `packages` for the albertkit that runs. */
export const installCommand = (...packages: readonly string[]): string =>
  installCommandAt({ file: ownFile(), cwd: slashes(process.cwd()), node: process.execPath }, packages)
