import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../../base/version.js'

/** Path of the sample model of the examples, and of its files. */
const SAMPLE = /^fixtures\/zh-news(\/[^/]+)?$/
/** Flags whose value is an output path. */
const WRITTEN = new Set(['-o', '--output', '--save', '--results', '--errors', '--svg', '--png', '--report'])

/**
 * Replaces `fixtures/zh-news` in the arguments by the copy inside the package if the current directory has none, so
 * that the examples work in every installation.
 */
export function withSample(argv: readonly string[], root = packageFolder()): string[] {
  return argv.map((argument, i) => {
    if (!SAMPLE.test(argument) || WRITTEN.has(argv[i - 1] ?? '') || existsSync(argument)) return argument
    const bundled = join(root, argument)
    return existsSync(bundled) ? bundled : argument
  })
}
