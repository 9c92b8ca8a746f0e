import { expect, it } from 'vitest'
import { utf8Bytes } from '../../../src/base/bytes.js'
import { malformed } from '../../../src/base/errors.js'
import { KeyChain } from '../../../src/formats/tf-bundle/key-chain.js'

const chain = (): KeyChain => new KeyChain((what, code = 'header-invalid') => malformed(what, { code }))

/** Goes through blocks of keys, each as what it shares and the rest, and ends each under a listed key. */
function go(
  blocks: readonly { readonly keys: readonly (readonly [number, string])[]; readonly listed: string }[],
): string[] {
  const keys = chain()
  const found: string[] = []
  for (const { keys: own, listed } of blocks) {
    keys.restart()
    for (const [shared, rest] of own) {
      keys.next(shared, utf8Bytes(rest))
      found.push(Buffer.from(keys.key).toString())
    }
    keys.endBlock(utf8Bytes(listed))
    keys.beginBehind(utf8Bytes(listed))
  }
  return found
}

it('writes keys out, over blocks, the first of which may be empty', () => {
  const first = {
    keys: [
      [0, ''],
      [0, 'abc'],
      [2, 'd'],
      [2, 'de'],
    ] as const,
    listed: 'abf',
  }
  expect(go([first, { keys: [[0, 'abg']], listed: 'b' }])).toEqual(['', 'abc', 'abd', 'abde', 'abg'])
})

it.each([
  [
    'a key twice',
    [
      {
        keys: [
          [0, 'ab'],
          [2, ''],
        ] as const,
        listed: 'z',
      },
    ],
    'tensor-duplicate',
  ],
  [
    'the empty key twice',
    [
      {
        keys: [
          [0, ''],
          [0, ''],
        ] as const,
        listed: 'z',
      },
    ],
    'tensor-duplicate',
  ],
  [
    'a smaller key',
    [
      {
        keys: [
          [0, 'ab'],
          [1, 'a'],
        ] as const,
        listed: 'z',
      },
    ],
    'header-invalid',
  ],
  [
    'a prefix of the key before',
    [
      {
        keys: [
          [0, 'ab'],
          [1, ''],
        ] as const,
        listed: 'z',
      },
    ],
    'header-invalid',
  ],
  [
    'a key twice over blocks',
    [
      { keys: [[0, 'a']] as const, listed: 'a' },
      { keys: [[0, 'a']] as const, listed: 'b' },
    ],
    'tensor-duplicate',
  ],
  [
    'a smaller key in the next block',
    [
      { keys: [[0, 'b']] as const, listed: 'b' },
      { keys: [[0, 'a']] as const, listed: 'b' },
    ],
    'header-invalid',
  ],
  [
    'a key before the one under which the block before it is listed',
    [
      { keys: [[0, 'a']] as const, listed: 'c' },
      { keys: [[0, 'b']] as const, listed: 'd' },
    ],
    'header-invalid',
  ],
  [
    'a block that is listed under a key before its last',
    [{ keys: [[0, 'b']] as const, listed: 'a' }],
    'header-invalid',
  ],
  [
    'a share of a key in the block before',
    [
      { keys: [[0, 'ab']] as const, listed: 'ab' },
      { keys: [[2, 'c']] as const, listed: 'z' },
    ],
    'header-invalid',
  ],
  [
    'more shared than there is',
    [
      {
        keys: [
          [0, 'ab'],
          [3, 'c'],
        ] as const,
        listed: 'z',
      },
    ],
    'header-invalid',
  ],
] as const)('%s is malformed', (_, blocks, code) => {
  expect(() => go(blocks)).toThrow(expect.objectContaining({ kind: 'malformed', code }))
})

it('keys that share more than is stored of them are refused before they fill the memory', () => {
  const keys = chain()
  keys.next(0, new Uint8Array(10_000).fill(97))
  expect(() => {
    for (let i = 0; i < 100_000; i++)
      keys.next(10_000, Uint8Array.of(64 + (i >> 14), 64 + ((i >> 7) & 127), 64 + (i & 127)))
  }).toThrow(expect.objectContaining({ code: 'limit-exceeded' }))
  expect(() => {
    chain().next(0, new Uint8Array(400_000))
  }).toThrow(expect.objectContaining({ code: 'limit-exceeded' }))
})
