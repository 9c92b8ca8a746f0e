import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ShardTask } from '../../src/sharding/manifest.js'
import { PartFile, type PartState } from '../../src/sharding/part-file.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-part-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const sha256 = (digit: string): string => digit.repeat(64)
const task: ShardTask = {
  command: 'predict',
  options: { format: 'jsonl' },
  model: { sha256: sha256('a') },
  input: { sha256: sha256('b'), bytes: 100, lines: 10 },
}
const state: PartState = { next: { line: 3, offset: 20 }, answered: 2, errors: { file: null, count: 0, bytes: 0 } }
const open = (given: ShardTask | null = task, fits = true): PartFile =>
  new PartFile(join(folder, 'out'), given, { force: false, fits: () => fits })
const text = (name: string): string => readFileSync(join(folder, name), 'utf8')

/** A file of which two lines are said to be done, a third is not, and whose writer went away. */
function leave(): void {
  const file = open()
  file.put('one')
  file.put('two')
  file.checkpoint(state)
  file.put('three')
  file.discard()
}

describe('a file that is written in parts', () => {
  it('continues after the recorded progress, and appears when it is whole', () => {
    leave()
    expect([text('out.part'), existsSync(join(folder, 'out'))]).toEqual(['one\ntwo\nthree\n', false])
    const file = open()
    expect(file.resumed).toMatchObject(state)
    file.put('3')
    file.checkpoint({ ...state, next: { line: 4, offset: 30 } })
    file.finish()
    file.discard()
    expect(text('out')).toBe('one\ntwo\n3\n')
    expect([existsSync(join(folder, 'out.part')), existsSync(join(folder, 'out.part.json'))]).toEqual([false, false])
    expect(open).toThrow(/exists already/)
  })

  it.each<[string, () => PartFile]>([
    ['another model', () => open({ ...task, model: { sha256: sha256('c') } })],
    ['another input', () => open({ ...task, input: { ...task.input, sha256: sha256('c') } })],
    ['other options', () => open({ ...task, options: { format: 'tsv' } })],
    ['other errors', () => open(task, false)],
    ['standard input', () => open(null)],
    ['a part that lost its end', () => (writeFileSync(join(folder, 'out.part'), 'one\n'), open())],
    ['a damaged state', () => (writeFileSync(join(folder, 'out.part.json'), '{"bytes":8}'), open())],
  ])('begins anew for %s', (_, again) => {
    leave()
    const file = again()
    expect(file.resumed).toBeNull()
    file.put('1')
    file.finish()
    expect(text('out')).toBe('1\n')
  })

  it('leaves nothing if nothing was done', () => {
    const file = open()
    file.put('one')
    file.discard()
    expect([existsSync(join(folder, 'out.part')), existsSync(join(folder, 'out.part.json'))]).toEqual([false, false])
  })
})
