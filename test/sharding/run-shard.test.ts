import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mergeDirectory } from '../../src/api/sharded/merge.js'
import { indexLines, type LineIndex, type Shard } from '../../src/sharding/line-index.js'
import type { ShardTask } from '../../src/sharding/manifest.js'
import { mergeShards, readShards } from '../../src/sharding/merge.js'
import { runShard, type ShardOutput } from '../../src/sharding/run-shard.js'
import { temporaryIn } from '../../src/base/temporary-folder.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'albertkit-scale-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const write = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const MODEL = sha256('model')

const taskOf = ({ sha256: hash, bytes, lines }: LineIndex, options: Record<string, unknown> = {}): ShardTask => ({
  command: 'predict',
  options,
  model: { sha256: MODEL },
  input: { sha256: hash, bytes, lines },
})

/** A work that numbers the lines of its shard: enough to see which line went where. */
const numbering =
  (file: string, { offset, bytes, firstLine }: Shard) =>
  (output: ShardOutput): Promise<void> => {
    const text = readFileSync(file)
      .subarray(offset, offset + bytes)
      .toString()
    const lines = text.split('\n')
    if (lines.at(-1) === '') lines.pop()
    lines.forEach((line, i) => {
      if (line === 'bad') output.writeError(`${firstLine + i}: bad\n`)
      else output.write(`${firstLine + i}: ${line}\n`)
    })
    return Promise.resolve()
  }

async function runAll(file: string, count: number, window: number, options = {}): Promise<LineIndex> {
  const index = await indexLines(file, count, window)
  for (const shard of index.shards)
    await runShard(join(directory, 'shards'), taskOf(index, options), shard, numbering(file, shard))
  return index
}

describe('the index of lines', () => {
  test('shards cover the file, begin at windows, and are hashed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ maxLength: 12 }).map((s) => s.replace(/\n/g, '')),
          { maxLength: 60 },
        ),
        fc.boolean(),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 7 }),
        async (lines, ended, count, window) => {
          const text = lines.join('\n') + (ended && lines.length > 0 ? '\n' : '')
          const bytes = Buffer.from(text)
          const index = await indexLines(write('lines.txt', text), count, window)
          expect(index.sha256).toBe(sha256(bytes))
          expect(index.shards).toHaveLength(count)
          let offset = 0
          let line = 1
          for (const shard of index.shards) {
            expect([shard.offset, shard.firstLine]).toEqual([offset, line])
            if (shard.lines > 0) expect((shard.firstLine - 1) % window).toBe(0)
            expect(shard.sha256).toBe(sha256(bytes.subarray(offset, offset + shard.bytes)))
            if (offset > 0 && shard.bytes > 0) expect(bytes[offset - 1]).toBe(10)
            offset += shard.bytes
            line += shard.lines
          }
          expect([offset, line - 1]).toEqual([bytes.length, index.lines])
          expect(index.lines).toBe(text === '' ? 0 : text.replace(/\n$/, '').split('\n').length)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('shards of a long file have about the same size', async () => {
    const text = Array.from({ length: 10_000 }, (_, i) => 'x'.repeat(i % 50)).join('\n')
    const { shards } = await indexLines(write('lines.txt', text), 8, 16)
    const sizes = shards.map(({ bytes }) => bytes)
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(1.05)
  })

  test('what cannot be indexed is an error of usage', async () => {
    await expect(indexLines(join(directory, 'absent'), 2)).rejects.toMatchObject({ kind: 'usage' })
    await expect(indexLines(write('lines.txt', 'a'), 0)).rejects.toMatchObject({ kind: 'usage' })
  })
})

describe('shards and their merger', () => {
  const text = Array.from({ length: 100 }, (_, i) => (i % 17 === 3 ? 'bad' : `line ${i}`)).join('\n')

  test('however the work is cut, the merged bytes are the same', async () => {
    const file = write('lines.txt', text)
    const results: string[] = []
    for (const count of [1, 3, 40]) {
      await runAll(file, count, 4)
      const output = join(directory, `merged-${count}`)
      const errors = join(directory, `errors-${count}`)
      const report = await mergeShards(readShards(join(directory, 'shards')), { output, errors })
      expect(report).toMatchObject({ shards: count, inputLines: 100, output: { lines: 94 }, errors: { lines: 6 } })
      results.push(readFileSync(output, 'utf8') + readFileSync(errors, 'utf8'))
      rmSync(join(directory, 'shards'), { recursive: true })
    }
    expect(results[0]).toContain('100: line 99\n')
    expect(new Set(results).size).toBe(1)
  })

  test('a shard that is there is not computed again, one that is damaged or of another task is', async () => {
    const file = write('lines.txt', text)
    const { shards } = await runAll(file, 2, 4)
    const index = await indexLines(file, 2, 4)
    const again = (options = {}) =>
      runShard(join(directory, 'shards'), taskOf(index, options), shards[0]!, numbering(file, shards[0]!))
    expect(await again()).toMatchObject({ skipped: true })
    appendFileSync(join(directory, 'shards/shard-00001-of-00002.jsonl'), 'x')
    expect(await again()).toMatchObject({ skipped: false })
    expect(await again({ format: 'tsv' })).toMatchObject({ skipped: false })
    expect(await again({ format: 'tsv' })).toMatchObject({ skipped: true })
  })

  test('what a killed process left goes with the next shard', async () => {
    const file = write('lines.txt', text)
    const { shards } = await runAll(file, 2, 4)
    const { pid } = spawnSync(process.execPath, ['--version'])
    const left = temporaryIn(join(directory, 'shards')).replace(`-${process.pid}-`, `-${pid}-`)
    writeFileSync(left, 'half of a li')
    rmSync(join(directory, 'shards/shard-00001-of-00002.json'))
    const index = await indexLines(file, 2, 4)
    await runShard(join(directory, 'shards'), taskOf(index), shards[0]!, numbering(file, shards[0]!))
    expect(existsSync(left)).toBe(false)
  })

  test('the joined lines and those that could not be used have files of their own', async () => {
    await runAll(write('lines.txt', text), 2, 4)
    const output = join(directory, 'merged')
    const said = mergeDirectory(join(directory, 'shards'), { output, errors: output })
    await expect(said).rejects.toMatchObject({ kind: 'usage', place: { file: output } })
    expect(existsSync(output)).toBe(false)
  })

  test('a work that fails leaves nothing behind', async () => {
    const file = write('lines.txt', text)
    const index = await indexLines(file, 1)
    const failing = (output: ShardOutput): Promise<void> => {
      output.write('half a')
      return Promise.reject(new Error('no'))
    }
    const open = (): number => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
    const before = open()
    await expect(runShard(join(directory, 'shards'), taskOf(index), index.shards[0]!, failing)).rejects.toThrow('no')
    expect(readdirSync(join(directory, 'shards'))).toEqual([])
    expect(open()).toBe(before)
  })

  const shards = () => join(directory, 'shards')
  const manifest = (n: number): string => join(shards(), `shard-0000${n}-of-00003.json`)
  const edit = (n: number, change: (value: { shard: Shard } & ShardTask) => unknown): void => {
    const value = JSON.parse(readFileSync(manifest(n), 'utf8')) as { shard: Shard } & ShardTask
    writeFileSync(manifest(n), JSON.stringify(change(value)))
  }
  test.each<[string, () => void, RegExp]>([
    [
      'a missing shard',
      () => {
        rmSync(manifest(2))
      },
      /1 of 3 shards are missing: 2/,
    ],
    [
      'another model',
      () => {
        edit(2, (m) => ({ ...m, model: { sha256: sha256('other') } }))
      },
      /the model of shard 2/,
    ],
    [
      'another input',
      () => {
        edit(3, (m) => ({ ...m, input: { ...m.input, sha256: sha256('x') } }))
      },
      /the input of shard 3/,
    ],
    [
      'other options',
      () => {
        edit(3, (m) => ({ ...m, options: { batch: 2 } }))
      },
      /the option batch .* of shard 3/,
    ],
    [
      'an overlap',
      () => {
        edit(2, (m) => ({ ...m, shard: { ...m.shard, offset: m.shard.offset - 1 } }))
      },
      /overlaps/,
    ],
    [
      'a gap',
      () => {
        edit(2, (m) => ({ ...m, shard: { ...m.shard, offset: m.shard.offset + 1 } }))
      },
      /gap/,
    ],
    [
      'an end that is missing',
      () => {
        edit(3, (m) => ({ ...m, shard: { ...m.shard, bytes: 1 } }))
      },
      /cover/,
    ],
    [
      'shards of another number',
      () => {
        renameSync(manifest(3), join(shards(), 'shard-00003-of-00004.json'))
        writeFileSync(
          join(shards(), 'shard-00003-of-00004.json'),
          readFileSync(join(shards(), 'shard-00003-of-00004.json'), 'utf8').replace('"count": 3', '"count": 4'),
        )
      },
      /overlap/,
    ],
    [
      'a number of shards that there cannot be',
      () => {
        edit(1, (m) => ({ ...m, shard: { ...m.shard, count: 2 ** 40 } }))
      },
      /is invalid/,
    ],
    [
      'a manifest that is none',
      () => {
        writeFileSync(manifest(1), '{}')
      },
      /is invalid/,
    ],
    [
      'a damaged output',
      () => {
        appendFileSync(join(shards(), 'shard-00002-of-00003.jsonl'), 'x')
      },
      /SHA-256/,
    ],
  ])('%s is refused', async (_, damage, message) => {
    await runAll(write('lines.txt', text), 3, 4)
    damage()
    const output = join(directory, 'merged')
    const merge = async () => mergeShards(readShards(shards()), { output })
    await expect(merge).rejects.toThrow(message)
    await expect(merge).rejects.toThrow(expect.objectContaining({ kind: 'malformed' }))
    expect(readdirSync(directory).filter((name) => name.includes('merged'))).toEqual([])
  })

  test('shards are in the order of their numbers, which have five digits or more', async () => {
    await runAll(write('lines.txt', 'one\ntwo'), 2, 1)
    // As if there were 200,000: the hundred-thousandth's name comes before that of the one before it.
    const manifestOf = (n: number): string => join(shards(), `shard-0000${n}-of-00002.json`)
    renameSync(manifestOf(1), join(shards(), 'shard-99999-of-200000.json'))
    renameSync(manifestOf(2), join(shards(), 'shard-100000-of-200000.json'))
    const order = readShards(shards()).manifests.map(({ shard }) => shard.index)
    expect(order).toEqual([0, 1])
  })

  test('nothing is overwritten without being asked', async () => {
    await runAll(write('lines.txt', text), 2, 4)
    const output = write('merged', 'precious')
    await expect(mergeShards(readShards(shards()), { output })).rejects.toThrow(/exists already/)
    expect(readFileSync(output, 'utf8')).toBe('precious')
    expect((await mergeShards(readShards(shards()), { output, force: true })).output.lines).toBe(94)
    const errors = write('errors', 'precious')
    const fresh = join(directory, 'fresh')
    await expect(mergeShards(readShards(shards()), { output: fresh, errors })).rejects.toThrow(/exists already/)
    expect(readFileSync(errors, 'utf8')).toBe('precious')
    expect(existsSync(fresh)).toBe(false)
  })
})
