import { expect, it } from 'vitest'
import type { BadLine } from '../../../src/text/data/examples.js'
import { splitLines } from '../../../src/text/data/lines.js'
import { sentencesOf } from '../../../src/text/data/sentences.js'

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new TextEncoder().encode(text))
}

async function read(text: string) {
  const found: unknown[] = []
  for await (const { item, last } of sentencesOf(splitLines(bytes(text), 'file')))
    found.push(
      'reason' in item
        ? (item satisfies BadLine).line
        : [item.line, item.words.join(' '), item.tags.join(' '), last.number],
    )
  return found
}

it('reads words and the tag in the last column; an empty line ends a sentence', async () => {
  expect(await read('-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\n\n京\tB-LOC\n都\tI-LOC')).toEqual([
    [3, 'EU rejects', 'B-ORG O', 4],
    [7, '京 都', 'B-LOC I-LOC', 8],
  ])
})

it('a line without a tag is unusable, and does not end the sentence', async () => {
  expect(await read('a O\nb\nc B-X\n')).toEqual([2, [1, 'a c', 'O B-X', 3]])
})
