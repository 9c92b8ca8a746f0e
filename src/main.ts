import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '@oclif/core/run'
import { environment, usage } from './base/errors.js'
import { nearest } from './base/nearest.js'
import { exitCodeOf, print, reportFailure, isGiven } from './commands/common/failure.js'
import { asOutputError, STANDARD_OUTPUT } from './files/output-file.js'

/** Names of the commands, from the manifest that the build writes. */
function commandNames(root: string): string[] {
  if (!existsSync(join(root, 'oclif.manifest.json'))) return []
  const { commands } = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as { commands: object }
  return Object.keys(commands).map((id) => id.replaceAll(':', ' '))
}

/** Reports an error that occurs before a command runs. oclif joins an unknown command and its arguments by colons. */
function reportUnknown(error: unknown, argv: readonly string[], { json, help, root }: UnknownOptions): Promise<number> {
  if (!(error instanceof Error) || !/^command .* not found$/s.test(error.message))
    return reportFailure(error, { json, help })
  const names = commandNames(root)
  const topics = new Set(names.filter((name) => name.includes(' ')).map((name) => name.split(' ')[0]))
  const typed = topics.has(argv[0]) ? argv.slice(0, 2).join(' ') : (argv[0] ?? '')
  const meant = nearest(typed, names)
  const hint = `${meant === null ? '' : `did you mean \`albertkit ${meant}\`? `}see \`${help}\``
  return reportFailure(usage(`there is no command ${typed}`, { code: 'option-invalid', hint }), { json, help })
}

/** True if the arguments are for the commands of a plugin, or ask for help, which lists those too. */
const needsPlugins = (argv: readonly string[]): boolean =>
  argv[0] === undefined || /^help\b/.test(argv[0]) || isGiven(argv, '--help', '-h')

interface UnknownOptions {
  readonly json: boolean
  readonly help: string
  readonly root: string
}

/**
 * Runs the command line `albertkit`: passes the arguments to oclif and ends the process. Commands report their own
 * errors; errors before a command runs, e.g. for an unknown command, are reported here.
 * @param root folder of the command line's package.json and manifest; `own` below it is the same without plugins
 */
export async function main(root: string, argv: string[] = process.argv.slice(2)): Promise<never> {
  const options = { json: isGiven(argv, '--json'), help: 'albertkit --help' }
  // A reader that closes the pipe (`2>&1 | head`) is not an error; oclif does the same for stdout.
  process.stderr.on('error', () => undefined)
  let unwritable: Error | undefined
  process.stdout.on('error', (error: Error) => {
    unwritable = error
  })
  let ending = false
  process.on('uncaughtException', (error) => {
    // Reporting the error may fail in turn.
    if (ending) return
    ending = true
    const failure = error === unwritable ? asOutputError(error, STANDARD_OUTPUT) : error
    const json = options.json && error !== unwritable
    void reportFailure(failure, { ...options, json }).then((code) => process.exit(code))
  })
  // Nothing is left to wait for, and yet the command has not ended: something that it waits for will never come.
  process.on('beforeExit', () => {
    if (ending) return
    ending = true
    const failure = environment('the command ended before its work was done: a part of it never answered', {
      code: 'process-failed',
      hint: 'this is a bug in albertkit or in a library that reads the file',
    })
    void reportFailure(failure, options).then((code) => process.exit(code))
  })
  const code = await run(argv, needsPlugins(argv) ? root : join(root, 'own')).then(
    () => process.exitCode ?? 0,
    (error: unknown) => exitCodeOf(error) ?? reportUnknown(error, argv, { ...options, root }),
  )
  await Promise.all([print(process.stdout, ''), print(process.stderr, '')])
  // A GPU device or a pool of workers would keep the process alive although the work is done.
  process.exit(code)
}
