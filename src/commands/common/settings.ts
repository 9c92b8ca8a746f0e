import { isAbsolute, resolve } from 'node:path'
import { usage } from '../../base/errors.js'
import { nearest } from '../../base/nearest.js'

/**
 * Values of flags that are not on the command line: from the environment, else from the configuration file. They become
 * arguments before those that are typed, so that everything that reads arguments knows of them.
 */

/** What a command says of a flag. */
export interface FlagShape {
  readonly type: string
  readonly char?: string | undefined
  readonly allowNo?: boolean | undefined
  readonly multiple?: boolean | undefined
  readonly helpValue?: string | readonly string[] | undefined
  readonly exclusive?: readonly unknown[] | undefined
  readonly aliases?: readonly string[] | undefined
}
export type FlagShapes = Readonly<Record<string, FlagShape>>

type Environment = Readonly<Record<string, string | undefined>>
/** Values of flags in a configuration file, by command and name. */
export type FileFlags = Readonly<
  Record<string, Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>>
>

/** Name of the environment variable of a flag; with a command, of the flag of that command alone. */
export const variableOf = (flag: string, command?: string): string =>
  ['ALBERTKIT', ...(command === undefined ? [] : [command]), flag]
    .join('_')
    .replace(/[^A-Za-z0-9]/g, '_')
    .toUpperCase()

/** Names of the flags that are typed, before any `--`. */
export function typedNames(argv: readonly string[], flags: FlagShapes): ReadonlySet<string> {
  const names = new Map<string, string>()
  for (const [name, { char, allowNo, aliases = [] }] of Object.entries(flags)) {
    for (const word of [name, ...aliases]) names.set(`--${word}`, name)
    if (allowNo === true) names.set(`--no-${name}`, name)
    if (char !== undefined) names.set(`-${char}`, name)
  }
  const found = new Set<string>()
  for (let i = 0; i < argv.length && argv[i] !== '--'; i++) {
    const word = argv[i]!
    // `-oDIR` is `-o DIR`.
    const name = names.get(word.startsWith('--') ? word.split('=', 1)[0]! : word.slice(0, 2))
    if (name === undefined) continue
    found.add(name)
    // The word after it is its value.
    if (flags[name]!.type === 'option' && (word.startsWith('--') ? !word.includes('=') : word.length === 2)) i++
  }
  return found
}

/** A value of a flag, and what it comes from, for messages. */
export interface Setting {
  readonly flag: string
  readonly from: string
  readonly values: readonly string[]
}

const [YES, NO] = [/^(1|true|yes|on)$/i, /^(0|false|no|off)$/i]

function truth(text: string, from: string): boolean {
  if (YES.test(text) || NO.test(text)) return YES.test(text)
  throw usage(`${from} is yes or no (1, true, 0, false), not ${text}`, { code: 'option-invalid' })
}

/** Words of a repeatable flag in the environment: by line, if there are several lines, else by space. */
const words = (text: string): string[] =>
  (text.includes('\n') ? text.split(/\r?\n/) : text.split(/\s+/))
    .map((word) => word.trim())
    .filter((word) => word !== '')

type Rank = (flag: string, shape: FlagShape) => Setting | null

const fromEnvironment =
  (command: string, env: Environment): Rank =>
  (flag, { type, multiple }) => {
    const variable = [variableOf(flag, command), variableOf(flag)].find((name) => (env[name] ?? '') !== '')
    if (variable === undefined) return null
    const text = env[variable]!
    const values = type === 'boolean' ? [String(truth(text, variable))] : multiple === true ? words(text) : [text]
    return { flag, from: variable, values }
  }

/** Values that are paths are relative to the configuration. */
const PATHS = new Set(['FILE', 'DIR', 'PATH'])

const fromFile =
  (command: string, { flags, folder, name }: SettingsFile): Rank =>
  (flag, shape) => {
    const value = flags[command]?.[flag] ?? flags['*']?.[flag]
    if (value === undefined) return null
    const from = `${name}, flags.${flags[command]?.[flag] === undefined ? '*' : command}.${flag}`
    const isPath = PATHS.has(String(shape.helpValue)) && value !== '-'
    const given = (Array.isArray(value) ? value : [value]).map((one) => String(one))
    if (shape.type === 'boolean') return { flag, from, values: [String(truth(given.join(' '), from))] }
    if (given.length > 1 && shape.multiple !== true)
      throw usage(`${from} has several values, and --${flag} takes one`, { code: 'option-invalid' })
    return { flag, from, values: given.map((one) => (isPath && !isAbsolute(one) ? resolve(folder, one) : one)) }
  }

/** The flags of a configuration file. */
export interface SettingsFile {
  readonly flags: FileFlags
  /** Folder that paths are relative to. */
  readonly folder: string
  /** Name of the file, for messages. */
  readonly name: string
}

/** @throws AlbertkitError `usage` if the file names a flag that the command does not have */
function checkNames(command: string, shapes: FlagShapes, { flags, name }: SettingsFile): void {
  const unknown = Object.keys(flags[command] ?? {}).find((flag) => shapes[flag] === undefined)
  if (unknown === undefined) return
  const meant = nearest(unknown, Object.keys(shapes))
  throw usage(`${name} has a flag ${unknown} that ${command} does not have`, {
    code: 'option-invalid',
    hint: meant === null ? `see the help of ${command}` : `did you mean ${meant}?`,
  })
}

const excludes = (a: FlagShape | undefined, b: string): boolean =>
  (a?.exclusive ?? []).some((other) => other === b || (other as { name?: unknown } | null)?.name === b)

/** What is known of flags besides the command line. */
export interface SettingSources {
  readonly env: Environment
  readonly file: SettingsFile | null
}

/**
 * Settings of the flags of `command` that are not typed: those of the environment before those of the file. One that
 * excludes a flag of a higher rank is left out.
 */
export function settingsOf(
  command: string,
  shapes: FlagShapes,
  argv: readonly string[],
  { env, file }: SettingSources,
): Setting[] {
  if (file !== null) checkNames(command, shapes, file)
  const taken = new Set(typedNames(argv, shapes))
  const found: Setting[] = []
  const ranks = [fromEnvironment(command, env), ...(file === null ? [] : [fromFile(command, file)])]
  for (const read of ranks) {
    const above = [...taken]
    for (const [flag, shape] of Object.entries(shapes)) {
      if (taken.has(flag) || above.some((one) => excludes(shape, one) || excludes(shapes[one], flag))) continue
      const setting = read(flag, shape)
      if (setting === null) continue
      found.push(setting)
      taken.add(flag)
    }
  }
  return found
}

/** The arguments that say the same as settings. */
export const settingArguments = (settings: readonly Setting[], shapes: FlagShapes): string[] =>
  settings.flatMap(({ flag, values }) => {
    const { type, allowNo } = shapes[flag]!
    if (type !== 'boolean') return values.map((value) => `--${flag}=${value}`)
    if (values[0] === 'true') return [`--${flag}`]
    return allowNo === true ? [`--no-${flag}`] : []
  })
