import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mergeJob } from '../../../src/api/sharded/merge-job.js'
import { runShard } from '../../../src/sharding/run-shard.js'
import { indexLines } from '../../../src/sharding/line-index.js'
import { temporary } from '../../helpers/faults.js'

let place: ReturnType<typeof temporary>
const at = (name: string): string => place.at(name)
const read = (name: string): string => readFileSync(at(name), 'utf8')
beforeEach(async () => {
  place = temporary()
  mkdirSync(at('out'))
  writeFileSync(at('lines'), 'a\nb\n')
  const { shards, ...input } = await indexLines(at('lines'), 1)
  const task = { command: 'predict', options: {}, model: { sha256: input.sha256 }, input } as const
  await runShard(at('shards'), task, shards[0]!, (output) => {
    output.write('A\nB\n')
    output.writeError('bad\n')
    return Promise.resolve()
  })
})
afterEach(() => {
  place.remove()
})

const exists = expect.objectContaining({ code: 'output-exists' }) as unknown

it('joins the shards, and may run again', async () => {
  for (let i = 0; i < 2; i++) await mergeJob(at('shards'), at('out/answers'), [])
  expect([read('out/answers'), read('out/answers.errors.jsonl')]).toEqual(['A\nB\n', 'bad\n'])
  expect(readdirSync(at('out')).sort()).toEqual(['answers', 'answers.errors.jsonl'])
})

it('replaces nothing but what the submitter saw', async () => {
  writeFileSync(at('out/answers'), 'mine')
  await expect(mergeJob(at('shards'), at('out/answers'), [])).rejects.toEqual(exists)
  const other = createHash('sha256').update('other').digest('hex')
  await expect(mergeJob(at('shards'), at('out/answers'), [other])).rejects.toEqual(exists)
  expect(read('out/answers')).toBe('mine')
  const mine = createHash('sha256').update('mine').digest('hex')
  await mergeJob(at('shards'), at('out/answers'), [mine])
  expect(read('out/answers')).toBe('A\nB\n')
})

it('writes through no link', async () => {
  writeFileSync(at('theirs'), 'theirs')
  symlinkSync(at('theirs'), at('out/answers'))
  symlinkSync(at('nothing'), at('out/dangling'))
  for (const name of ['out/answers', 'out/dangling'])
    await expect(mergeJob(at('shards'), at(name), []), name).rejects.toEqual(exists)
  expect(read('theirs')).toBe('theirs')
})
