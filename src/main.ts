import { run } from '@oclif/core/run'
import { exitCodeOf, print, reportFailure, wantsJson } from './commands/common/failure.js'
import { asOutputError } from './files/output-file.js'

/**
 * The command line `albertkit`: hands the arguments to oclif and ends the process. Commands report their own errors;
 * what is left for here is what goes wrong before a command runs, such as a command that does not exist. `root` is the
 * folder with the command line's package.json and manifest.
 */
export async function main(root: string, argv: string[] = process.argv.slice(2)): Promise<never> {
  const options = { json: wantsJson(argv), help: 'albertkit --help' }
  // A reader that went away (`2>&1 | head`) is no failure; oclif does the same for stdout.
  process.stderr.on('error', () => undefined)
  let unwritable: Error | undefined
  process.stdout.on('error', (error: Error) => {
    unwritable = error
  })
  let ending = false
  process.on('uncaughtException', (error) => {
    // Saying that fails may fail in turn.
    if (ending) return
    ending = true
    const failure = error === unwritable ? asOutputError(error, 'standard output') : error
    const json = options.json && error !== unwritable
    void reportFailure(failure, { ...options, json }).then((code) => process.exit(code))
  })
  const code = await run(argv, root).then(
    () => process.exitCode ?? 0,
    (error: unknown) => exitCodeOf(error) ?? reportFailure(error, options),
  )
  await Promise.all([print(process.stdout, ''), print(process.stderr, '')])
  // A GPU device or a pool of workers would keep the process alive although the work is done.
  process.exit(code)
}
