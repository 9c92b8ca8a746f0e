import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readGrid, shardsOf } from '../../../src/api/sweep/grid.js'
import { memoryFiles } from '../../../src/files/memory.js'

const read = (text: string) => readGrid(memoryFiles([['grid.json', Buffer.from(text)]]), 'grid.json')

describe('a grid', () => {
  it('is every combination of its lists, the last one changing fastest', () => {
    expect(read('{"learning_rate": [1e-5, 5e-5], "batch-size": [16, 32], "newHead": true}')).toEqual([
      { learningRate: 1e-5, batchSize: 16, newHead: true },
      { learningRate: 1e-5, batchSize: 32, newHead: true },
      { learningRate: 5e-5, batchSize: 16, newHead: true },
      { learningRate: 5e-5, batchSize: 32, newHead: true },
    ])
  })

  it('may be a list of such objects', () => {
    expect(read('[{"optimizer": "lamb", "seed": [0, 1]}, {"optimizer": "adamw"}]')).toEqual([
      { optimizer: 'lamb', seed: 0 },
      { optimizer: 'lamb', seed: 1 },
      { optimizer: 'adamw' },
    ])
  })

  it.each([
    ['not json', 'config-invalid', undefined],
    ['[]', 'config-invalid', undefined],
    ['7', 'config-invalid', undefined],
    ['{"learning_rate": {"from": 1}}', 'config-invalid', undefined],
    ['{"learning_rate": []}', 'config-invalid', 'learning_rate'],
    ['{"learning_rate": [0]}', 'config-invalid', undefined],
    ['{"learning_rate": ["1e-5"]}', 'config-invalid', undefined],
    ['{"optimizer": "sgd"}', 'config-invalid', undefined],
    ['{"output": "x"}', 'config-invalid', 'output'],
    ['{"__proto__": ["x"]}', 'config-invalid', undefined],
    ['{}', 'config-invalid', undefined],
    ['{"seed": [1, 1]}', 'config-invalid', undefined],
    ['[{"seed": 1}, {"seed": [0, 1]}]', 'config-invalid', undefined],
    [JSON.stringify({ seed: Array.from({ length: 101 }, (_, i) => i), steps: Array.from({ length: 100 }, (_, i) => i + 1) }), 'limit-exceeded', 'steps'],
  ])('refuses %s', (text, code, field) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        kind: 'malformed',
        code,
        place: { file: 'grid.json', ...(field === undefined ? {} : { field }) },
      }) as Error,
    )
  }) // prettier-ignore

  it('has a shard for each trial, whatever spelling its names have', () => {
    const { input, shards } = shardsOf(read('{"seed": [0, 1, 2]}'))
    const lines = ['{"seed":0}\n', '{"seed":1}\n', '{"seed":2}\n']
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
    expect(input).toEqual({ sha256: sha256(lines.join('')), bytes: 33, lines: 3 })
    expect(shards).toEqual(
      lines.map((line, index) => ({
        ...{ index, count: 3, offset: 11 * index, bytes: 11 },
        ...{ firstLine: index + 1, lines: 1, sha256: sha256(line) },
      })),
    )
    expect(shardsOf(read('{"batch-size": [8]}'))).toEqual(shardsOf(read('{"batch_size": 8}')))
  })
})
