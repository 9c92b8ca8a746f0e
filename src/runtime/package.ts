import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { environment } from '../base/errors.js'
import { isAbsent } from './runner.js'

/** Where optional packages are looked for: the user's project, then beside albertkit. */
const requires = (): NodeJS.Require[] => [
  createRequire(pathToFileURL(join(process.cwd(), 'package.json'))),
  createRequire(import.meta.url),
]

/** Path of the main file of an installed package, or null. */
export function findPackage(name: string): string | null {
  for (const require of requires()) {
    try {
      return require.resolve(name)
    } catch {
      continue
    }
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

/** Version of an installed package, or null. */
export function packageVersion(name: string): string | null {
  const entry = findPackage(name)
  return entry === null ? null : versionAt(entry, name)
}

/** `onnxruntime-node 1.30.0` */
export const named = (name: string): string => `${name} ${packageVersion(name) ?? ''}`.trim()

/** Version of an installed package by its folder alone: also of one that lets nobody see its package.json. */
export function installedVersion(name: string): string | null {
  const places = [process.cwd(), dirname(fileURLToPath(import.meta.url))]
  for (const place of places) {
    for (let directory = place; ; directory = dirname(directory)) {
      const version = versionAt(join(directory, 'node_modules', name, 'package.json'), name)
      if (version !== null) return version
      if (directory === dirname(directory)) break
    }
  }
  return null
}

/**
 * Imports an optional package.
 * @throws AlbertkitError `environment` with `message` and `hint` where it is not installed
 */
export async function importOptional<T>(load: () => Promise<T>, message: string, hint: string): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isAbsent(error)) throw error
    throw environment(message, { hint, cause: error })
  }
}
