import { readFileSync } from 'node:fs'
import { ROOT } from './run.js'

interface Option {
  readonly name: string
  readonly type?: 'boolean' | 'option'
  readonly char?: string
  readonly required?: boolean
  readonly hidden?: boolean
  readonly multiple?: boolean
  readonly allowNo?: boolean
  readonly options?: readonly string[]
  readonly default?: unknown
  readonly dependsOn?: readonly string[]
  readonly exclusive?: readonly string[]
}

export interface CommandEntry {
  readonly id: string
  readonly summary?: string
  readonly examples?: readonly unknown[]
  readonly args: Readonly<Record<string, Option>>
  readonly flags: Readonly<Record<string, Option>>
}

/** The commands as the build recorded them: of the command line that stands alone, or of the plugin. */
export function commandsOf(what: 'standalone' | 'plugin'): Readonly<Record<string, CommandEntry>> {
  const path = what === 'plugin' ? 'oclif.manifest.json' : 'dist/standalone/oclif.manifest.json'
  const manifest = JSON.parse(readFileSync(`${ROOT}${path}`, 'utf8')) as { commands: Record<string, CommandEntry> }
  return manifest.commands
}

function describeOption(option: Option, prefix: string): string {
  const name = option.allowNo ? `[no-]${option.name}` : option.name
  const words = [
    `${prefix}${name}${option.char === undefined ? '' : `, -${option.char}`}`,
    option.type === 'boolean' ? 'boolean' : (option.options?.join('|') ?? 'string'),
    option.required && 'required',
    option.multiple && 'may be repeated',
    option.hidden && 'hidden',
    option.default !== undefined && `default ${JSON.stringify(option.default)}`,
    option.dependsOn?.length && `needs --${option.dependsOn.join(', --')}`,
    option.exclusive?.length && `not with --${option.exclusive.join(', --')}`,
  ]
  return `  ${words.filter((word) => typeof word === 'string').join('  ')}`
}

/** What scripts rely on, in words: arguments in order, flags by name. */
export function describeCommand({ id, args, flags }: CommandEntry): string {
  const byName = Object.values(flags).sort((a, b) => (a.name < b.name ? -1 : 1))
  return [
    id,
    ...Object.values(args).map((arg) => describeOption(arg, '')),
    ...byName.map((flag) => describeOption(flag, '--')),
    '',
  ].join('\n')
}
