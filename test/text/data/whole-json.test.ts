import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readLabelLines } from '../../../src/api/labels.js'
import { formatOfJob } from '../../../src/api/inference/job.js'
import { disk } from '../../../src/files/disk.js'
import { formatByContents } from '../../../src/text/data/examples.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-json-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('a file that is one JSON value', () => {
  it.each([
    ['a.json', '[{"text": "a"}, {"text": "b"}]', 'one JSON array'],
    ['a.json', '[\n  {\n    "text": "a"\n  }\n]\n', 'one JSON array'],
    ['a.json', '[\r\n', 'one JSON array'],
    ['a.json', '["a", "b"]', 'one JSON array'],
    ['a.json', '[["a", "b"]]', 'one JSON array'],
    ['a.json', '\uFEFF[{"text": "a"}]', 'one JSON array'],
    ['a.txt', '[{"text": "a"}]', 'one JSON array'],
    ['a', '[\n{"text": "a"}]', 'one JSON array'],
    ['a.jsonl', '[{"text": "a"},\n{"text": "b"}]', 'one JSON array'],
    ['a.json', '{\n  "data": []\n}', 'one JSON object'],
    ['a.txt', '{\n  "text": "a"\n}', 'one JSON object'],
    ['a.jsonl', '{\r\n  "text": "a"\r\n}', 'one JSON object'],
    ['a.json', '{"data": [\n', 'one JSON object'],
  ])('is refused where lines are read: %s %j', (path, text, what) => {
    expect(() => formatByContents(text, path)).toThrow(
      expect.objectContaining({
        kind: 'usage',
        code: 'text-unusable',
        message: expect.stringContaining(what) as string,
      }),
    )
    writeFileSync(join(folder, path), text)
    expect(() => formatOfJob({ model: '', input: join(folder, path), format: 'jsonl' })).toThrow(what)
  })

  it.each([
    ['a.json', '{"text": "a"}\n{"text": "b"}\n', 'jsonl'],
    ['a.txt', '{"text": "a"}\n', 'jsonl'],
    ['a.jsonl', '{"text": "a"\n', 'jsonl'],
    ['a.jsonl', '["a"]\n{"text": "a"}\n', 'jsonl'],
    ['a.txt', '[MASK] is a word\n', 'lines'],
    ['a.txt', '["quoted"] text\n', 'lines'],
    ['a.txt', '{} is an object\n', 'lines'],
    ['a.tsv', '[{"text": "a"}]\n', 'tsv'],
    ['a.json', 'plain\n', 'lines'],
    ['a.json', '', 'lines'],
    ['a.tf_record', '[{"', 'tfrecord'],
  ])('is not seen in %s %j', (path, text, format) => {
    expect(formatByContents(text, path)).toBe(format)
  })

  it('is refused as a file of labels', () => {
    const file = join(folder, 'labels.txt')
    for (const text of ['["a", "b"]', '{"0": "a"}', '[\n"a"\n]\n']) {
      writeFileSync(file, text)
      expect(() => readLabelLines(disk, file)).toThrow('is JSON')
    }
    writeFileSync(file, '<!doctype html>\n<p>a</p>\n')
    expect(() => readLabelLines(disk, file)).toThrow('an HTML page')
    writeFileSync(file, '[a]\n{b}\n')
    expect(readLabelLines(disk, file)).toEqual(['[a]', '{b}'])
  })
})
