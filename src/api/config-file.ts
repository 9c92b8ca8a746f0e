import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { malformed, usage } from '../errors.js'
import type { RawConfig } from '../model/config.js'
import { fromKerasConfig } from '../model/keras-config.js'

/** Names of configuration files, the most telling first. */
const NAMES = ['albert_config.json', 'bert_config.json', 'config.json']
/** As albert_zh's archives name theirs: `albert_config_tiny.json`. */
const VARIANT = /^(albert|bert)_config.*\.json$/
/** A configuration is a page; anything longer is another file. */
const MAX_BYTES = 16 * 1024 * 1024

const isConfig = (name: string): boolean => NAMES.includes(name) || VARIANT.test(name)

/** The first of `directories` that has a configuration, else the first. */
export function directoryWithConfig(directories: readonly string[]): string {
  return directories.find((directory) => readdirSync(directory).some(isConfig)) ?? directories[0] ?? '.'
}

function findConfig(directory: string): string {
  const names = readdirSync(directory)
  const exact = NAMES.find((name) => names.includes(name))
  if (exact !== undefined) return join(directory, exact)
  const variants = names.filter((name) => VARIANT.test(name)).sort()
  if (variants.length === 1) return join(directory, variants[0]!)
  if (variants.length > 1)
    throw usage(`${directory} has several configurations: ${variants.join(', ')}`, { hint: 'choose one with --config' })
  throw malformed('there is no configuration beside the weights', {
    file: directory,
    hint: `looked for ${NAMES.join(', ')} and albert_config_*.json; give one with --config`,
  })
}

/** Whether a configuration lies in `directory`. */
export const hasConfig = (directory: string): boolean => readdirSync(directory).some(isConfig)

function readText(file: string): string {
  try {
    if (statSync(file).size > MAX_BYTES) throw malformed('the configuration is larger than 16 MiB', { file })
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    throw usage(`the configuration cannot be read: ${(error as Error).message.split(',')[0] ?? ''}`, {
      file,
      cause: error,
    })
  }
}

/** What a preset of keras-hub says of its head: the `task.json` beside its `config.json`; null where there is none that can be read. */
function readTask(file: string): Readonly<Record<string, unknown>> | null {
  const task = join(dirname(file), 'task.json')
  if (basename(file) !== 'config.json' || !existsSync(task)) return null
  try {
    return JSON.parse(readText(task)) as Readonly<Record<string, unknown>> | null
  } catch {
    return null
  }
}

/**
 * Reads the configuration: `given`, or the one in `directory`.
 * @throws AlbertkitError `malformed` where it is not a JSON object, `usage` where the choice is not clear
 */
export function readConfigFile(directory: string, given?: string): RawConfig {
  const file = given ?? findConfig(directory)
  const text = readText(file)
  const fail = (what: string) =>
    malformed(`the configuration ${what}`, {
      file,
      field: 'hidden_size',
      hint: 'a configuration is a JSON object with hidden_size, num_hidden_layers …',
    })
  if (text.trim() === '') throw fail('is empty')
  let fields: unknown
  try {
    fields = JSON.parse(text)
  } catch {
    throw fail('is not JSON')
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw fail('is not a JSON object')
  return fromKerasConfig({ file, fields: fields as Record<string, unknown> }, readTask(file))
}
