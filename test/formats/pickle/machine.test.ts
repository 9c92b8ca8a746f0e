import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../../src/base/errors.js'
import { memoryFiles } from '../../../src/files/memory.js'
import { RangedFile } from '../../../src/formats/core/file.js'
import { ByteCursor } from '../../../src/formats/pickle/cursor.js'
import { PickleMachine } from '../../../src/formats/pickle/machine.js'
import {
  PickleDict,
  PickleGlobal,
  PickleList,
  PickleSet,
  PickleTuple,
  PLAIN_HOST,
  type PickleHost,
  type PickleValue,
} from '../../../src/formats/pickle/values.js'

function run(bytes: Uint8Array, host: PickleHost = PLAIN_HOST): PickleValue {
  const file = new RangedFile(memoryFiles([['data.pkl', bytes]]), 'data.pkl')
  try {
    return new PickleMachine(new ByteCursor(file, 0, file.size), host).run()
  } finally {
    file.close()
  }
}

/** A value as literals: a tuple is `{ tuple }`, a set `{ set }`, a dict its entries in a Map. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleList) return value.items.map(plain)
  if (value instanceof PickleTuple) return { tuple: value.items.map(plain) }
  if (value instanceof PickleSet) return { set: [...value.items].map(plain) }
  if (value instanceof PickleDict) return new Map([...value.entries].map(([key, item]) => [plain(key), plain(item)]))
  if (value instanceof PickleGlobal) return { global: value.path }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  return value
}

/** Globals that make what they are given into a list, or refuse to be called. */
const host: PickleHost = {
  global: (module, name) => {
    if (module === 'collections')
      return {
        call: ([pairs]) => {
          const dict = new PickleDict()
          for (const pair of pairs instanceof PickleList ? pairs.items : []) {
            const [key = null, value = null] = pair instanceof PickleTuple ? pair.items : []
            dict.entries.set(key, value)
          }
          return dict
        },
      }
    if (name === 'type') return {}
    if (name !== 'list' && name !== 'set' && name !== 'frozenset') return null
    return {
      call: (args) => {
        const list = new PickleList()
        list.items.push(...args)
        return list
      },
    }
  },
  persistent: (id) => new PickleTuple(['storage', id]),
}

const recorded = JSON.parse(readFileSync(new URL('python.json', import.meta.url), 'utf8')) as Record<string, string[]>
const VALUES: Readonly<Record<string, unknown>> = {
  None: null,
  booleans: [true, false],
  'small numbers': [
    ...[0, 1, 255, 256, 65535, 65536, -1, -(2 ** 31), 2 ** 31 - 1, 2 ** 31],
    ...[-(2n ** 63n), 2n ** 64n, 12345678901234567890123n],
  ],
  texts: ['', 'kernel', '新闻', 'a\nb\\n\u2028', 'x'.repeat(300), '😀'],
  tuples: [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]].map((tuple) => ({ tuple })),
  'an empty dict': new Map(),
  'a value twice': [[1, 2], [1, 2], 'text', 'text'],
  'an ordered dict': new Map<string, unknown>([
    ['z', 1],
    ['a', [2]],
  ]),
}

describe('what CPython pickles', () => {
  const cases = Object.keys(VALUES).flatMap((name) => recorded[name]!.map((_, protocol) => [name, protocol] as const))
  it.each(cases)('%s, protocol %d', (name, protocol) => {
    expect(plain(run(Buffer.from(recorded[name]![protocol]!, 'base64'), host))).toEqual(VALUES[name])
  })

  it.each([0, 1, 2, 3, 4, 5])('floats and dicts, protocol %d', (protocol) => {
    const of = (name: string): unknown => plain(run(Buffer.from(recorded[name]![protocol]!, 'base64')))
    expect(of('floats')).toEqual([0.5, -2.25, 1e300, 5e-324, Infinity])
    expect([...(of('a dict') as Map<unknown, unknown>)]).toEqual([
      ['a', 1],
      [2, 'b'],
      [{ tuple: [3, 'c'] }, [null]],
    ])
  })

  it.each([3, 4, 5])('byte strings, protocol %d', (protocol) => {
    const found = plain(run(Buffer.from(recorded.bytes![protocol]!, 'base64')))
    expect(found).toEqual(['', '\0\xff', 'y'.repeat(300)])
  })

  it('byte arrays and sets have opcodes of their own in later protocols', () => {
    expect(plain(run(Buffer.from(recorded.bytearray![5]!, 'base64')))).toBe('abc')
    expect(plain(run(Buffer.from(recorded.sets![4]!, 'base64')))).toEqual([{ set: [1] }, { set: [2] }])
  })

  it.each(['bytes', 'bytearray', 'sets'])('%s of earlier protocols ask for a global, which is refused', (name) => {
    const bytes = Buffer.from(recorded[name]![2]!, 'base64')
    expect(() => run(bytes)).toThrow(/asks for the global (_codecs\.encode|__builtin__\.)/)
  })
})

const bytes = (...parts: readonly (string | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))))

describe('opcodes that Python 3 no longer writes', () => {
  it.each<[string, Uint8Array, unknown]>([
    ['INT as booleans', bytes('(I01\nI00\nl.'), [true, false]],
    ['LONG', bytes('L-12345678901234567890L\n.'), -12345678901234567890n],
    ['LONG4', bytes([0x8b, 2, 0, 0, 0, 0xff, 0xff], '.'), -1],
    ['LONG1 of no byte', bytes([0x8a, 0], '.'), 0],
    ['FLOAT', bytes('F-1.5e3\n.'), -1500],
    ['FLOAT that is no number', bytes('Fnan\n.'), NaN],
    ['FLOAT below all', bytes('F-inf\n.'), -Infinity],
    ['STRING', bytes(`S'a\\n\\x41\\\\\\'"'\n.`), `a\nA\\'"`],
    ['STRING in double quotes', bytes(`S"it's"\n.`), "it's"],
    ['UNICODE', bytes('V\\u65b0\\U0001f600\\x\n.'), '新😀\\x'],
    ['UNICODE beyond its range', bytes('V\\U00110000\n.'), '\\U00110000'],
    ['BINSTRING', bytes('T', [2, 0, 0, 0], 'ab.'), 'ab'],
    ['SHORT_BINSTRING that is no UTF-8', bytes('U', [2, 0xff, 0x41], '.'), 'ÿA'],
    ['BINUNICODE8', bytes([0x8d, 1, 0, 0, 0, 0, 0, 0, 0], 'x.'), 'x'],
    ['BINBYTES8', bytes([0x8e, 1, 0, 0, 0, 0, 0, 0, 0], 'x.'), 'x'],
    ['DUP', bytes('(I1\n2l.'), [1, 1]],
    ['POP', bytes('I1\nI2\n0.'), 1],
    ['POP of a mark', bytes('I1\n(0.'), 1],
    ['POP_MARK', bytes('I1\n(I2\nI3\n1.'), 1],
    ['PUT and GET', bytes('(I7\np3\n0g3\nl.'), [7]],
    ['LONG_BINPUT and LONG_BINGET', bytes('(K', [5], 'r', [0, 1, 0, 0], '0j', [0, 1, 0, 0], 'l.'), [5]],
    ['BINPUT and BINGET', bytes('(K', [5], 'q', [9], '0h', [9], 'l.'), [5]],
    ['MEMOIZE', bytes('(K', [5], [0x94], '0h', [0], 'l.'), [5]],
    ['APPEND', bytes(']I4\na.'), [4]],
    ['SETITEM', bytes('}I4\nI5\ns.'), new Map([[4, 5]])],
    ['DICT', bytes('(I4\nI5\nd.'), new Map([[4, 5]])],
    ['FRAME', bytes([0x80, 4, 0x95, 2, 0, 0, 0, 0, 0, 0, 0], 'N.'), null],
    ['INST', bytes('(I4\nibuiltins\nlist\n.'), [4]],
    ['OBJ', bytes('(cbuiltins\nlist\nI4\no.'), [4]],
    ['NEWOBJ_EX', bytes('cbuiltins\nlist\n(I4\nt}', [0x92], '.'), [4]],
    ['BUILD of a dict', bytes('}}b.'), new Map()],
    ['PERSID', bytes('Pid\n.'), { tuple: ['storage', 'id'] }],
    ['BINPERSID', bytes('I1\nQ.'), { tuple: ['storage', 1] }],
    ['a global that is only named', bytes('cx\ntype\n.'), { global: 'x.type' }],
    ['FROZENSET and ADDITEMS', bytes([0x8f], '(I1\nI1\n', [0x90], '.'), { set: [1] }],
  ])('%s', (_, given, right) => {
    expect(plain(run(given, host))).toEqual(right)
  })
})

describe('what is refused', () => {
  const big = (n: number): readonly number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >> 24) & 255]
  it.each<[string, Uint8Array, RegExp, string]>([
    ['an unknown opcode', bytes([0xff]), /no pickle opcode: 0xff/, 'malformed'],
    ['a later protocol', bytes([0x80, 6], '.'), /protocol 6/, 'malformed'],
    ['nothing on the stack', bytes('.'), /stack empty/, 'malformed'],
    ['nothing to look at', bytes('2.'), /stack empty/, 'malformed'],
    ['too few for a tuple', bytes('N', [0x87], '.'), /stack empty/, 'malformed'],
    ['no mark', bytes('l.'), /no mark/, 'malformed'],
    ['values left over', bytes('NN.'), /left over/, 'malformed'],
    ['a mark left over', bytes('N(1(N.'), /left over|empty/, 'malformed'],
    ['a memo that has no such value', bytes('g1\n.'), /memo has no value 1/, 'malformed'],
    ['a key without a value', bytes('(I1\nd.'), /key without a value/, 'malformed'],
    ['a list as a key', bytes('(]I1\nd.'), /as the key of a dict/, 'malformed'],
    ['items set in a list', bytes(']I1\nI2\ns.'), /no dict/, 'malformed'],
    ['items added to a number', bytes('I1\nI2\na.'), /no list/, 'malformed'],
    ['state of a number', bytes('I1\n}b.'), /sets state/, 'malformed'],
    ['a call of a number', bytes('I1\n)R.'), /no global/, 'malformed'],
    ['a call of a type', bytes('cx\ntype\n)R.'), /only a type/, 'malformed'],
    ['a call without a callable', bytes('(o.'), /no global/, 'malformed'],
    ['arguments that are a list', bytes('cbuiltins\nlist\n]R.'), /no tuple/, 'malformed'],
    ['keyword arguments', bytes('cbuiltins\nlist\n)}I1\nI1\ns', [0x92], '.'), /keyword/, 'malformed'],
    ['a global by a number', bytes([0x82, 1], '.'), /registry of extensions/, 'malformed'],
    ['a buffer outside', bytes([0x97], '.'), /buffer outside/, 'malformed'],
    ['a name that is no text', bytes('NN', [0x93], '.'), /no string/, 'malformed'],
    ['a global of os', bytes('cos\nsystem\n.'), /the global os\.system/, 'unsupported'],
    ['no whole number', bytes('Ix\n.'), /no whole number/, 'malformed'],
    ['no number', bytes('Fx\n.'), /no number/, 'malformed'],
    ['an empty number', bytes('F\n.'), /no number/, 'malformed'],
    ['a string without quotes', bytes('Sabc\n.'), /without quotes/, 'malformed'],
    ['text that is no UTF-8', bytes('X', [1, 0, 0, 0, 0xff], '.'), /no UTF-8/, 'malformed'],
    ['an end within an opcode', bytes('J', [1, 0]), /within an opcode/, 'malformed'],
    ['an end within a value', bytes('X', [9, 0, 0, 0], 'abc'), /ends at 8/, 'malformed'],
    ['a value above the limit', bytes('X', big(1024 * 1024 + 1)), /limit of 1048576/, 'malformed'],
    ['a length beyond any file', bytes([0x8d, ...new Array<number>(8).fill(255)]), /a length of/, 'malformed'],
    ['a line above the limit', bytes('I', new Array<number>(70_000).fill(0x31)), /line longer/, 'malformed'],
    ['strings above their limit', bytes('B', big(33 * 1024 * 1024)), /bytes of strings/, 'malformed'],
    ['lists in lists without end', bytes('('.repeat(1001)), /nested deeper/, 'malformed'],
    ['opcodes without end', bytes('N0'.repeat(500_001)), /opcodes in one pickle/, 'malformed'],
    ['containers without end', bytes(']0'.repeat(100_001)), /containers in one pickle/, 'malformed'],
    ['a memo without end', bytes('N', [...Buffer.alloc(500_001, 0x94)]), /values in the memo/, 'malformed'],
  ])('%s', (_, given, message, kind) => {
    let thrown: unknown
    try {
      run(given, host)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(AlbertkitError)
    expect(thrown).toMatchObject({ kind, place: { file: 'data.pkl' } })
    expect((thrown as Error).message).toMatch(message)
  })

  it('a plain pickle has no persistent ids', () => {
    expect(() => run(bytes('Pid\n.'))).toThrow('a persistent id where a plain value is expected')
  })

  it('names the byte of the opcode', () => {
    expect(() => run(bytes('I1\nIx\n.'))).toThrow(
      expect.objectContaining({ place: { file: 'data.pkl', offset: 3 } }) as Error,
    )
  })

  it('counts what calls copy: a long tuple given to many calls', () => {
    const items = 'N'.repeat(10_000)
    const calls = 'cbuiltins\nlist\n(g0\ntR0'.repeat(100)
    expect(() => run(bytes(`(${items}tp0\n0`, calls, 'N.'), host)).toThrow('opcodes in one pickle')
  })
})

it('texts longer than the window are read whole', () => {
  const text = 'ab'.repeat(60_000)
  expect(run(bytes('X', [text.length & 255, (text.length >> 8) & 255, text.length >> 16, 0], text, '.'))).toBe(text)
})
