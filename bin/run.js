#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

// Answered without oclif, whose import takes longer than everything else that `--version` does.
if (process.argv.length === 3 && ['--version', '-v', 'version'].includes(process.argv[2])) {
  const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  process.stdout.write(`${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`)
} else if (process.argv[2] === '__complete') {
  const { printCompletions } = await import('../dist/cli/complete-entry.js')
  printCompletions(fileURLToPath(new URL('../dist/standalone/', import.meta.url)), process.argv.slice(3))
} else {
  // From Node 22 on, what was compiled once is kept: a sixth of the time that `inspect` of a small model takes.
  module.enableCompileCache?.()
  if (process.env.HOME === undefined || process.env.SHELL === undefined) await import('./user.js')
  const { main } = await import('../dist/cli/main.js')
  await main(fileURLToPath(new URL('../dist/standalone/', import.meta.url)))
}
