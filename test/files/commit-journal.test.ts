import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../src/base/errors.js'
import { JOURNAL, ownName } from '../../src/base/temporary-folder.js'
import { finishCommit } from '../../src/files/commit-journal.js'
import { disk } from '../../src/files/disk.js'
import { OutputDirectory } from '../../src/files/output-directory.js'
import { writeText } from '../../src/files/output-file.js'
import { faultPoints, isKilled, shown, temporary, withFault, type Fault } from '../helpers/faults.js'

let place: ReturnType<typeof temporary>
const at = (name: string): string => place.at(name)
beforeEach(() => {
  place = temporary()
})
afterEach(() => {
  place.remove()
})

const put = (folder: string, files: Readonly<Record<string, string>>): void => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

const OLD = {
  'albertkit.json': 'old manifest',
  'config.json': 'old',
  'onnx/model.onnx': 'old',
  'onnx/model.onnx_data': 'old',
  'onnx/model_int8.onnx': 'kept',
  'tf/model.ckpt.index': 'old',
  'notes.txt': 'mine',
}
const NEW = {
  'albertkit.json': 'new manifest',
  'config.json': 'new',
  'onnx/model.onnx': 'new',
  'tf/model.ckpt.index': 'new',
  'vocab.txt': 'new',
}

/** Replaces the old version by the new one. */
function replace(folder: string): void {
  const output = new OutputDirectory(folder, { force: true })
  try {
    for (const name of ['onnx', 'tf']) mkdirSync(join(output.staging, name))
    for (const [name, text] of Object.entries(NEW)) writeText(join(output.staging, name), text)
    output.commit(['onnx'], new Set(['onnx/model.onnx', 'onnx/model.onnx_data']))
  } finally {
    output.discard()
  }
}

let before: object
let after: object
let calls: number
beforeEach(async () => {
  put(at('old'), OLD)
  before = shown(at('old'))
  cpSync(at('old'), at('new'), { recursive: true })
  const outcome = await withFault(null, () => {
    replace(at('new'))
  })
  expect(outcome.error).toBeNull()
  calls = outcome.calls
  after = shown(at('new'))
  expect(after).not.toEqual(before)
})

/** A fresh copy of the old version, and what became of it. */
async function tried(fault: Fault): Promise<{ readonly folder: string; readonly error: unknown }> {
  const folder = at('tried')
  rmSync(folder, { recursive: true, force: true })
  cpSync(at('old'), folder, { recursive: true })
  const { error } = await withFault(fault, () => {
    replace(folder)
  })
  return { folder, error }
}

const isOneOf = (folder: string): 'old' | 'new' | object => {
  const now = JSON.stringify(shown(folder))
  if (now === JSON.stringify(before)) return 'old'
  return now === JSON.stringify(after) ? 'new' : shown(folder)
}

describe('a folder whose files are replaced', () => {
  it.each(['kill', 'power'] as const)('is the old or the new version after a %s at any call', async (kind) => {
    const seen: unknown[] = []
    for (const n of faultPoints(calls, kind === 'kill' ? Infinity : 20)) {
      const { folder, error } = await tried({ kind, at: n })
      // Removing what is not needed any more may be cut short without a word.
      if (error !== null) expect(error).toSatisfy(isKilled)
      finishCommit(folder)
      expect(existsSync(join(folder, JOURNAL)), `call ${n}`).toBe(false)
      expect(['old', 'new'], `call ${n}`).toContain(isOneOf(folder))
      seen.push(isOneOf(folder))
    }
    // Once it is the new one it stays so.
    expect(seen.indexOf('new')).toBeGreaterThan(5)
    expect(seen.slice(seen.indexOf('new'))).not.toContain('old')
    expect(seen.at(-1)).toBe('new')
  })

  it('is whole too if the command that finishes it is killed, at any of its calls', async () => {
    for (const n of faultPoints(calls, 6)) {
      const { folder } = await tried({ kind: 'kill', at: n })
      const mine = at('second')
      rmSync(mine, { recursive: true, force: true })
      cpSync(folder, mine, { recursive: true })
      const { calls: more } = await withFault(null, () => {
        finishCommit(mine)
      })
      for (let m = 1; m <= more; m++) {
        rmSync(mine, { recursive: true, force: true })
        cpSync(folder, mine, { recursive: true })
        await withFault({ kind: 'kill', at: m }, () => {
          finishCommit(mine)
        })
        finishCommit(mine)
        expect(isOneOf(mine), `calls ${n} and ${m}`).toBe('new')
      }
    }
  })

  it.each(['ENOSPC', 'EMFILE'])('stays as it was if any call fails with %s', async (code) => {
    for (const n of faultPoints(calls, 30)) {
      const { folder, error } = await tried({ kind: 'fail', at: n, code })
      if (error === null) {
        // Only what is left over could not be removed.
        expect(isOneOf(folder), `call ${n}`).toBe('new')
        continue
      }
      expect(error, `call ${n}`).toBeInstanceOf(AlbertkitError)
      expect((error as AlbertkitError).exitCode).toBe(5)
      expect(isOneOf(folder), `call ${n}`).toBe('old')
      expect(readdirSync(folder).filter((name) => name.startsWith('.albertkit-'))).toEqual([])
    }
  })

  it('is finished by the next reader', async () => {
    const points = []
    for (let n = 1; n <= calls; n++) {
      const { folder } = await tried({ kind: 'kill', at: n })
      if (!existsSync(join(folder, JOURNAL))) continue
      // Each is another folder for the reader, as one process does not look twice within a moment.
      const mine = at(`read-${n}`)
      cpSync(folder, mine, { recursive: true })
      points.push(n)
      expect(disk.stat(join(mine, 'onnx/model.onnx'))).toEqual({ kind: 'file', size: 3 })
      expect(isOneOf(mine)).toBe('new')
    }
    expect(points.length).toBeGreaterThan(10)
  })
})

describe('a journal', () => {
  const journal = (folder: string, steps: object[], id = '0123abcd'): void => {
    const work = join(folder, ownName(id))
    put(work, { 'new/a': 'new' })
    mkdirSync(join(work, 'old'), { recursive: true })
    writeFileSync(join(folder, JOURNAL), JSON.stringify({ format: 'albertkit-commit', version: 1, id, steps }))
  }

  it('of another author changes nothing outside of its folder', () => {
    put(at('home'), { a: 'mine', 'out/keep': 'keep' })
    const folder = at('home/out')
    for (const path of ['../a', '/tmp/a', 'x/../../a', '', '.', 'b//c']) {
      journal(folder, [{ move: 'out', path }])
      finishCommit(folder)
      expect(shown(at('home')).a, path).toBeDefined()
    }
    rmSync(folder, { recursive: true })
    put(at('elsewhere'), { a: 'theirs' })
    mkdirSync(folder)
    symlinkSync(at('elsewhere'), join(folder, 'link'))
    journal(folder, [{ move: 'out', path: 'link/a' }])
    finishCommit(folder)
    expect(readdirSync(at('elsewhere'))).toEqual(['a'])
  })

  it('that cannot be read keeps others from committing, not from reading', () => {
    put(at('out'), { a: 'old', [JOURNAL]: 'not a journal' })
    finishCommit(at('out'))
    expect(disk.list(at('out'))).toContain('a')
    const output = new OutputDirectory(at('out'), { force: true })
    writeText(join(output.staging, 'a'), 'new')
    expect(() => {
      output.commit()
    }).toThrow(/unfinished commit/)
    output.discard()
    expect(Object.keys(shown(at('out')))).toContain('a')
  })

  it('is waited for while its process lives', () => {
    mkdirSync(at('out'))
    journal(at('out'), [{ move: 'in', path: 'a' }])
    // The parent of this process lives, and is none of ours.
    const [work = ''] = readdirSync(at('out')).filter((name) => name.startsWith('.albertkit-') && name !== JOURNAL)
    const other = work.replace(`-${process.pid}-`, `-${process.ppid}-`)
    cpSync(join(at('out'), work), join(at('out'), other), { recursive: true })
    rmSync(join(at('out'), work), { recursive: true })
    const began = performance.now()
    // It is given up when it is older than a commit can be.
    const then = (Date.now() - 29_700) / 1000
    utimesSync(join(at('out'), JOURNAL), then, then)
    finishCommit(at('out'))
    expect(performance.now() - began).toBeGreaterThan(200)
    expect(shown(at('out'))).toHaveProperty('a')
  })
})
