import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PieceTrie } from '../../../src/text/tokenizers/piece-trie.js'

const valueOf = (trie: PieceTrie, text: string): number => {
  let [node, slot] = [0, -1]
  for (let i = 0; i < text.length; i++) {
    if ((slot = trie.follow(node, text.charCodeAt(i))) === -1) return -1
    node = trie.nodeAt(slot)
  }
  return slot === -1 ? -1 : trie.valueAt(slot)
}

it('holds the values of words as a Map does, also when it grows', () => {
  const word = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }), fc.stringMatching(/^[ab]{1,12}$/))
  fc.assert(
    fc.property(fc.array(fc.tuple(word, fc.nat()), { maxLength: 400 }), fc.array(word), (entries, others) => {
      const trie = new PieceTrie()
      for (const [text, value] of entries) trie.add(text, value)
      const expected = new Map(entries)
      for (const text of [...expected.keys(), ...others]) expect(valueOf(trie, text)).toBe(expected.get(text) ?? -1)
    }),
  )
  const large = new PieceTrie()
  for (let i = 0; i < 20_000; i++) large.add(`▁${i}`, i)
  expect(Array.from({ length: 20_000 }, (_, i) => valueOf(large, `▁${i}`))).toEqual(
    Array.from({ length: 20_000 }, (_, i) => i),
  )
})
