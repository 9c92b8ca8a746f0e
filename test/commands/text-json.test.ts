import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as z from 'zod'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { SCHEMAS } from '../../src/schemas/schemas.js'

// What the commands that read text print for machines, held against docs/schemas.

let folder: string
const at = (name: string): string => join(folder, name)
const news = (name: string): string => join(ZH_NEWS, name)
type Name = keyof typeof SCHEMAS
const parse = (name: Name, text: string): unknown => z.parse(SCHEMAS[name], JSON.parse(text))

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-json-test-'))
  const dev = readFileSync(news('dev.tsv'), 'utf8').split('\n').slice(0, 12)
  writeFileSync(at('dev.tsv'), `${dev.join('\n')}\n\n`)
  await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '--no-verify', '-o', at('news')])
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a command to its end and gives what it printed. */
async function said(args: readonly string[], code = 0): Promise<string> {
  const result = await albertkit([...args, '--json'])
  expect([result.code, result.stderr], args.join(' ')).toEqual([code, expect.any(String)])
  return result.stdout
}

it('documents', async () => {
  const [model, input] = [at('news'), at('dev.tsv')]
  // The last line is empty.
  const done = (errors: string) => ({ lines: 12, bad: 1, errors: at(errors), resumedAt: null })
  const predicted = await said(['predict', model, input, '-o', at('p.jsonl'), '--errors', at('p.bad')])
  expect(parse('predict', predicted)).toMatchObject({ output: at('p.jsonl'), ...done('p.bad') })
  expect(parse('bad-line', readFileSync(at('p.bad'), 'utf8'))).toMatchObject({ line: 13 })
  const embedded = await said(['embed', model, input, '--format', 'npy', '-o', at('v.npy'), '--errors', at('v.bad')])
  expect(parse('embed', embedded)).toMatchObject({ output: at('v.npy'), ...done('v.bad') })
  const compared = await said(['evaluate', model, input, '--compare', ZH_NEWS, '--errors', at('e.bad')])
  expect(parse('evaluate', compared)).toMatchObject({ lines: 12, bad: 1, comparison: { lines: 12, different: [] } })
  parse('similarity', await said(['embed', model, '--text', '足球', '--text', '股票']))
  for (const command of ['predict', 'evaluate', 'embed']) {
    const shard = await said([command, model, input, '--shard', '1/1', '-o', at(command)])
    expect(parse('shard', shard)).toMatchObject({ command, skipped: false, errors: { lines: 1 } })
    const merged = await said(['merge', at(command), '-o', at(`${command}.merged`)])
    expect(parse('merge', merged)).toMatchObject({ command, shards: 1, inputLines: 13 })
  }
  parse('fill-mask', await said(['fill-mask', ZH_NEWS, '夺得冠[MASK]', '--top', '2']))
  parse('sentence-order', await said(['sentence-order', ZH_NEWS, '主队先失一球', '主队逆转取胜']))
  const features = ['tokenize', ZH_NEWS, input, '--to', 'tfrecord', '--max-seq-length', '16', '-o', at('f.tf_record')]
  expect(parse('tokenize', await said(features, 3))).toMatchObject({ records: 12, bad: 1 })
}, 90_000)

it('lines', async () => {
  const lines = async (name: Name, args: readonly string[], count: number): Promise<void> => {
    const found = (await said(args)).trimEnd().split('\n')
    expect(found).toHaveLength(count)
    for (const line of found) parse(name, line)
  }
  await lines('predict-line', ['predict', at('news'), news('labels.txt')], 10)
  await lines('embed-line', ['embed', at('news'), news('labels.txt')], 10)
  await lines('embed-line', ['embed', at('news'), news('labels.txt'), '--cosine', '足球'], 10)
  await lines('tokenize-line', ['tokenize', ZH_NEWS, news('labels.txt'), '--special'], 10)
  await lines('features-line', ['tokenize', ZH_NEWS, at('f.tf_record'), '--from', 'tfrecord'], 12)
}, 30_000)
