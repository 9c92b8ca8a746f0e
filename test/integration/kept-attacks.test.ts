import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSource } from '../../src/api/open/source.js'
import { AlbertkitError } from '../../src/base/errors.js'
import { readAll } from '../../src/formats/core/source.js'
import { ROOT } from '../helpers/run.js'

/** What fuzzing and comparing with the official readers found, made as small as it can be: fixtures/attacks. */

const FOLDER = join(ROOT, 'fixtures/attacks')
interface Kept {
  /** A file of the folder, or a folder in it. */
  readonly file: string
  /** Code of the error; `read` if nothing is wrong with it. */
  readonly right: string
  readonly why: string
  /** Shapes of tensors of what is read. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>
}
const KEPT = JSON.parse(readFileSync(join(FOLDER, 'expect.json'), 'utf8')) as readonly Kept[]

async function outcomeOf(path: string, shapes: Kept['shapes'] = {}): Promise<string> {
  try {
    const source = await openSource(path)
    try {
      for (const name of source.tensors.keys()) readAll(source, name)
      for (const [name, shape] of Object.entries(shapes)) expect(source.tensors.get(name)?.shape, name).toEqual(shape)
      return 'read'
    } finally {
      source.close()
    }
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    expect([2, 3, 4], error.message).toContain(error.exitCode)
    return error.code
  }
}

describe('files of fixtures/attacks', () => {
  it('are all listed', () => {
    const names = readdirSync(FOLDER).filter((name) => name !== 'expect.json' && name !== 'README.md')
    expect(names.sort()).toEqual(KEPT.map(({ file }) => file).sort())
    expect(KEPT.every(({ file }) => existsSync(join(FOLDER, file)))).toBe(true)
  })

  it.each(KEPT)('$file: $right', async ({ file, right, why, shapes }) => {
    expect(await outcomeOf(join(FOLDER, file), shapes), why).toBe(right)
  })
})
