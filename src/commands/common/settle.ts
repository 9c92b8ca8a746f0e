import { basename } from 'node:path'
import { valueGiven } from './failure.js'
import { settingsOf, variableOf, type FlagShapes, type Setting, type SettingsFile } from './settings.js'

/** Value of `--config-file` that means no file. */
const NO_FILE = 'none'

/** The value of `--config-file`, typed or from the environment; null if there is none. */
function namedFile(command: string, argv: readonly string[]): string | null {
  const typed = valueGiven(argv, '--config-file')
  if (typed !== undefined) return typed
  const names = [variableOf('config-file', command), variableOf('config-file')]
  return names.map((name) => process.env[name] ?? '').find((value) => value !== '') ?? null
}

/**
 * The configuration file whose flags hold: the one that is named, else the nearest. A file that is code is only run if
 * it is named, or if the command is `build`: what lies in a folder of models must not run because they are looked at.
 * @throws AlbertkitError `usage`, `malformed`
 */
async function fileOf(command: string, named: string | null): Promise<SettingsFile | null> {
  if (named === NO_FILE) return null
  const { findConfigFile, isCode } = await import('../../api/build/find-config.js')
  const path = named ?? (await findConfigFile(process.cwd()))
  if (path === null || (named === null && isCode(path) && command !== 'build')) return null
  const { readConfigFile } = await import('../../api/build/config-file.js')
  const { config, folder } = await readConfigFile(path)
  return { flags: config.flags ?? {}, folder, name: basename(path) }
}

/**
 * Settings of the flags of a command that are not typed, from the environment and the configuration file.
 * @param command its name, as it is typed
 * @throws AlbertkitError `usage`, `malformed`
 */
export async function settle(command: string, shapes: FlagShapes, argv: readonly string[]): Promise<Setting[]> {
  const file = await fileOf(command, namedFile(command, argv))
  return settingsOf(command, shapes, argv, { env: process.env, file })
}
