import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, extname, join, resolve } from 'node:path'

/** Where configuration files are: every command asks, so that this module imports nothing that takes time. */

/** Endings of configuration files that are data; the others are code, which runs when they are read. */
const DATA = ['json', 'yaml', 'yml'] as const
const CODE = ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts'] as const

const named = (endings: readonly string[]): string[] => endings.map((ending) => `albertkit.config.${ending}`)

/** Names of configuration files, in the order in which they are looked for in a folder. */
export const CONFIG_NAMES: readonly string[] = named([...DATA, ...CODE])

/** True if reading a configuration runs it. */
export const isCode = (file: string): boolean => !DATA.some((ending) => file.endsWith(`.${ending}`))

/** True if a folder, or one above it up to the home directory, has a configuration file: quick to tell. */
function hasConfig(from: string): boolean {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (CONFIG_NAMES.some((name) => existsSync(join(folder, name)))) return true
    if (folder === dirname(folder) || folder === homedir()) return false
  }
}

/**
 * Finds the nearest configuration file, in `from` or a folder above it up to the home directory.
 * @returns its path; null if there is none
 */
export async function findConfigFile(from: string): Promise<string | null> {
  if (!hasConfig(from)) return null
  const { lilconfig } = await import('../../vendor/config-files.js')
  // It finds; what is found is read above, with errors of our own.
  const found: string[] = []
  const note = (path: string): object => {
    found.push(path)
    return {}
  }
  const loaders = Object.fromEntries(
    [...new Set(CONFIG_NAMES.map((name) => extname(name)))].map((ending) => [ending, note]),
  )
  const searcher = lilconfig('albertkit', { searchPlaces: [...CONFIG_NAMES], loaders, cache: false })
  return (await searcher.search(resolve(from)))?.filepath ?? found[0] ?? null
}
