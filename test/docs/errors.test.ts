import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ERROR_CODES } from '../../src/base/error-codes.js'
import { commandsOf } from '../helpers/manifest.js'
import { BIN, ROOT, run, userEnv } from '../helpers/run.js'

const PAGE = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
const oneLine = (text: string): string => text.trim().replace(/\s+/g, ' ')
/** Sections of the page: code, cause, and what to do. */
const sections = [...PAGE.matchAll(/^### (\S+)\n\n([^]+?)\n\n([^]+?)(?=\n\n#|\n*$(?![^]))/gm)].map(
  ([, code = '', cause = '', remedy = '']) => [code, oneLine(cause), oneLine(remedy)] as const,
)

it('describes every code, in the order of the table, with its cause', () => {
  expect(sections.map(([code, cause]) => [code, cause])).toEqual(
    Object.entries(ERROR_CODES).map(([code, cause]) => [code, `${cause[0]!.toUpperCase()}${cause.slice(1)}.`]),
  )
})

it('says what to do about each', () => {
  for (const [code, , remedy] of sections) expect(remedy.length, code).toBeGreaterThan(40)
})

it('names flags that some command has', () => {
  const known = new Set(Object.values(commandsOf('standalone')).flatMap(({ flags = {} }) => Object.keys(flags)))
  const named = [...PAGE.matchAll(/--(?:no-)?([a-z][a-z-]*)/g)].map(([, name = '']) => name)
  expect(named.length).toBeGreaterThan(15)
  expect(named.filter((name) => !known.has(name) && name !== 'help')).toEqual([])
})

it('is where a terminal is sent, and nothing else is', async () => {
  const command = `${process.execPath} ${BIN} inspect /no/such/model`
  const [terminal, pipe] = await Promise.all([
    run('script', ['-qec', command, '/dev/null'], { env: userEnv() }),
    run('bash', ['-c', command], { env: userEnv() }),
  ])
  const { stdout } = await run('bash', ['-c', `${command} --json`], { env: userEnv() })
  const { code } = (JSON.parse(stdout) as { error: { code: string } }).error
  expect(terminal.stdout).toMatch(new RegExp(`\\nmore: \\S+/errors\\.md#${code}\\r?\\n`))
  expect(Object.keys(ERROR_CODES)).toContain(code)
  expect(pipe.stderr).not.toContain('errors.md')
})
