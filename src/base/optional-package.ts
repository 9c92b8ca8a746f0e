import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { environment } from './errors.js'
import { installCommand } from './install-command.js'

/** Import of optional packages: from albertkit's node_modules, else from the user's project, the current directory. */

/** True if an import failed because the package is not installed, or its native part cannot be loaded here. */
export function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return (
    code === 'ERR_MODULE_NOT_FOUND' ||
    code === 'MODULE_NOT_FOUND' ||
    code === 'ERR_DLOPEN_FAILED' ||
    (error instanceof Error && isUnbuilt(error))
  )
}

/** napi-rs throws an error without a code if the binary for this platform is absent. */
const isUnbuilt = ({ message }: Error): boolean => message.includes('Cannot find native binding')

/**
 * Loads a CommonJS package from albertkit's node_modules with `require`: `import` reads all of its text before, twice,
 * to tell its kind and the names that it exports, which takes five times as long for TensorFlow.js.
 * @throws any error of the package; `isAbsent` is true of it if it is not installed
 */
export const requirePackage = (name: string): unknown => createRequire(import.meta.url)(name)

/** Files whose packages are looked through, in order. */
const starts = (): URL[] => [new URL(import.meta.url), pathToFileURL(join(process.cwd(), 'package.json'))]

/** Path of the file that `specifier` names, as `require` finds it from `start`; null if it is absent. */
function resolveFrom(start: URL, specifier: string): string | null {
  try {
    return createRequire(start).resolve(specifier)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? importEntry(start, specifier) : null
  }
}

/** Entry of a package that only `import` may load, from its `exports`. */
function importEntry(start: URL, specifier: string): string | null {
  const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.+))?$/.exec(specifier) ?? []
  const folder = packageFolderFrom(dirname(fileURLToPath(start)), name)
  if (folder === null) return null
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { exports?: unknown }
  let entry: unknown = (exports as Record<string, unknown> | undefined)?.[rest === '' ? '.' : `./${rest}`]
  while (typeof entry === 'object' && entry !== null) {
    const conditions = entry as Record<string, unknown>
    entry = conditions.node ?? conditions.import ?? conditions.default
  }
  return typeof entry === 'string' ? join(folder, entry) : null
}

/** Folder of the package called `name` in the nearest `node_modules` from `directory` upwards. */
function packageFolderFrom(directory: string, name: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    const folder = join(at, 'node_modules', name)
    if (versionAt(join(folder, 'package.json'), name) !== null) return folder
    if (at === dirname(at)) return null
  }
}

/** Path of the main file of an installed package, or null. */
export function findPackage(specifier: string): string | null {
  for (const start of starts()) {
    const path = resolveFrom(start, specifier)
    if (path !== null) return path
  }
  return null
}

/** Version of the package that the file at `entry` belongs to. */
export function versionAt(entry: string, name: string): string | null {
  for (let directory = dirname(entry); ; directory = dirname(directory)) {
    try {
      const parsed = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<string, unknown>
      if (parsed.name === name) return String(parsed.version)
    } catch {
      // no package.json here: further up
    }
    if (directory === dirname(directory)) return null
  }
}

/** Version of an installed package by its folder alone, which packages without a main file have too; or null. */
export function installedVersion(name: string): string | null {
  for (const start of starts()) {
    const folder = packageFolderFrom(dirname(fileURLToPath(start)), name)
    if (folder !== null) return versionAt(join(folder, 'package.json'), name)
  }
  return null
}

/** `onnxruntime-node 1.30.0` */
export const named = (name: string): string => `${name} ${installedVersion(name) ?? ''}`.trim()

/**
 * Imports an optional package from albertkit's node_modules, else from the user's project.
 * @param load imports it from albertkit's node_modules; a literal, which bundlers see
 * @throws any error of the package; `isAbsent` is true of it if the package is in neither place
 */
export async function importPackage<T>(specifier: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isAbsent(error)) throw error
    const path = resolveFrom(pathToFileURL(join(process.cwd(), 'package.json')), specifier)
    // The copy that failed is not tried again.
    if (path === null || path === resolveFrom(new URL(import.meta.url), specifier)) throw error
    return (await import(pathToFileURL(path).href)) as T
  }
}

/**
 * Imports an optional package.
 * @param what needs it, for the message
 * @param packages to install; the one that is imported if left out
 * @throws AlbertkitError `environment` `package-missing` if it is not installed, with the command that installs it
 */
export async function importOptional<T>(
  specifier: string,
  load: () => Promise<T>,
  what: string,
  packages: readonly string[] = [specifier],
): Promise<T> {
  try {
    return await importPackage(specifier, load)
  } catch (error) {
    if (!isAbsent(error)) throw error
    throw environment(`${what} needs the optional package ${specifier}, which is not installed`, {
      code: 'package-missing',
      hint: installCommand(...packages),
      cause: error,
    })
  }
}
