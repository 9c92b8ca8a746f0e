import { commandsOf, type CommandEntry } from './manifest.js'
import type { Result } from './run.js'

/** Flags of every command; `--help` is handled by oclif. */
const GLOBAL = ['help', 'version', 'json', 'wide']

let commands: Readonly<Record<string, CommandEntry>> | null = null

function has(command: string, flag: string): boolean {
  const flags = (commands ??= commandsOf('standalone'))[command]?.flags ?? {}
  const plain = flag.replace(/^--/, '')
  return (
    GLOBAL.includes(plain) ||
    Object.hasOwn(flags, plain) ||
    (plain.startsWith('no-') && flags[plain.slice(3)]?.allowNo === true)
  )
}

/** Command that arguments name: `predict`, `queue:submit`; null if there is none. */
function commandOf([first = '', second = '']: readonly string[]): string | null {
  const all = (commands ??= commandsOf('standalone'))
  return [first, `${first}:${second}`].find((id) => Object.hasOwn(all, id)) ?? null
}

/** What a command told its user: errors, hints and notes. */
function toldBy({ stdout, stderr }: Result): string[] {
  const lines = stderr.split('\n').filter((line) => /^(error|hint|note|warning)\b/.test(line))
  let error: unknown
  try {
    error = (JSON.parse(stdout) as { error?: unknown }).error
  } catch {
    error = undefined
  }
  const { message, hint } = (error ?? {}) as { message?: string; hint?: string }
  return [...lines, message ?? '', hint ?? '']
}

/**
 * Flags that a command names to its user and that it does not have: a hint must lead somewhere. A flag of another
 * command has that command's name before it; commands of other programs stand in backticks.
 */
export function strayFlags(args: readonly string[], result: Result): string[] {
  const command = commandOf(args)
  if (command === null) return []
  return toldBy(result)
    .map((line) => line.replace(/`[^`]*`/g, '').replace(/\b(npm|npx|pnpm|yarn) [^;]*/g, ''))
    .flatMap((line) => [...line.matchAll(/(?:([a-z-]+(?: [a-z]+)?) )?(?<![\w-])(--[a-z][a-z0-9-]+)/g)])
    .filter(([, before = '', flag = '']) => {
      const own = [command, ...[before, before.split(' ').at(-1) ?? ''].map((words) => words.replace(' ', ':'))]
      return !own.some((one) => has(one, flag)) && !args.some((arg) => arg.startsWith(flag))
    })
    .map(([, , flag = '']) => `${command}: ${flag}`)
}
