import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../../base/version.js'

/** The sample model that examples speak of, and its files. */
const SAMPLE = /^fixtures\/zh-news(\/[^/]+)?$/
/** Options whose value is written, not read. */
const WRITTEN = new Set(['-o', '--output', '--save', '--results', '--errors', '--svg', '--png', '--report'])

/**
 * Arguments with `fixtures/zh-news`, which every example reads, replaced by the copy inside the package if the current
 * directory has none: examples work wherever albertkit is installed.
 */
export function withSample(argv: readonly string[], root = packageFolder()): string[] {
  return argv.map((argument, i) => {
    if (!SAMPLE.test(argument) || WRITTEN.has(argv[i - 1] ?? '') || existsSync(argument)) return argument
    const bundled = join(root, argument)
    return existsSync(bundled) ? bundled : argument
  })
}
