import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { complete, type CommandShape } from './commands/common/complete.js'
import { shellReply, wordsOf } from './commands/common/completion-shells.js'

/**
 * Answers the function that `albertkit completion` defines in a shell, without oclif, since the user waits for it.
 * @param root folder of the manifest
 * @param argv name of the shell, and the words or the line
 */
export function printCompletions(root: string, argv: readonly string[]): void {
  const { commands } = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
    commands: Readonly<Record<string, CommandShape>>
  }
  const [shell = '', ...rest] = argv
  const words = wordsOf(shell, rest)
  process.stdout.write(shellReply(shell, complete(commands, words), words.at(-1) ?? '', rest))
}
