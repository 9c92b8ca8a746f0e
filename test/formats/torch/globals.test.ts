import { describe, expect, it } from 'vitest'
import { memoryFiles } from '../../../src/files/memory.js'
import { RangedFile } from '../../../src/formats/core/file.js'
import { ByteCursor } from '../../../src/formats/pickle/cursor.js'
import { PickleMachine } from '../../../src/formats/pickle/machine.js'
import type { PickleValue } from '../../../src/formats/pickle/values.js'
import type { TorchStorage } from '../../../src/formats/torch/globals.js'
import { TorchHost, TorchTensor } from '../../../src/formats/torch/globals.js'

/** Runs opcodes of protocol 0, which are lines of text. */
function run(opcodes: string, host = new TorchHost(5)): PickleValue {
  const file = new RangedFile(memoryFiles([['data.pkl', Buffer.from(`${opcodes}.`, 'latin1')]]), 'data.pkl')
  try {
    return new PickleMachine(new ByteCursor(file, 0, file.size), host).run()
  } finally {
    file.close()
  }
}

const storageId = (type = 'torch\nFloatStorage', key = "S'0'", elements = 'I6'): string =>
  `(S'storage'\nc${type}\n${key}\nS'cpu'\n${elements}\nt`
const storage = `${storageId()}Q`
const tensorOf = (args: string, maker = 'torch._utils\n_rebuild_tensor_v2'): string => `c${maker}\n(${args}tR`
const sizes = '(I2\nI3\nt(I3\nI1\nt'

describe('what a file of tensors may call', () => {
  it.each([
    ['_rebuild_tensor', tensorOf(`${storage}I0\n${sizes}`, 'torch._utils\n_rebuild_tensor')],
    ['_rebuild_tensor_v2', tensorOf(`${storage}I0\n${sizes}I00\n)`)],
    ['a parameter', tensorOf(`${tensorOf(`${storage}I0\n${sizes}`)}I01\n)`, 'torch._utils\n_rebuild_parameter')],
    [
      'a tensor of a type',
      tensorOf(
        `ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n(${storage}I0\n${sizes}tN`,
        'torch._tensor\n_rebuild_from_type_v2',
      ),
    ],
  ])('%s', (_, opcodes) => {
    const tensor = run(opcodes) as TorchTensor
    expect(tensor).toBeInstanceOf(TorchTensor)
    expect(tensor).toMatchObject({ kind: 'tensor', offset: 0, shape: [2, 3], strides: [3, 1] })
    expect(tensor.type.dtype).toBe('F32')
    expect(tensor.storage).toMatchObject({ key: '0', bytes: 24, viewOffset: 0, untyped: false })
  })

  it('a tensor of an untyped storage has the type that it names', () => {
    const untyped = `${storageId('torch.storage\nUntypedStorage', "S'1'", 'I24')}Q`
    const tensor = run(
      tensorOf(`${untyped}I1\n${sizes}I00\n)ctorch\nfloat16\nN`, 'torch._utils\n_rebuild_tensor_v3'),
    ) as TorchTensor
    expect(tensor.type).toMatchObject({ dtype: 'F16', width: 2 })
    expect(tensor).toMatchObject({ offset: 1, storage: { bytes: 24, untyped: true } })
  })

  it('a storage before PyTorch 1.6 may be a view', () => {
    const id = (view: string): string => `(S'storage'\nctorch\nDoubleStorage\nS'7'\nS'cpu'\nI6\n${view}tQ`
    const plain = run(id('N'), new TorchHost(6)) as TorchStorage
    expect([plain.bytes, plain.viewOffset]).toEqual([48, 0])
    expect(run(id("(S'8'\nI2\nI3\nt"), new TorchHost(6))).toMatchObject({ viewOffset: 16 })
    expect(() => run(id('I1\n'), new TorchHost(6))).toThrow('a view of a storage without an offset')
    expect(() => run(id('N'))).toThrow('a persistent id that is no storage')
  })

  it('a storage that is named twice is one', () => {
    const host = new TorchHost(5)
    run(`(${storage}${storage}l`, host)
    expect([...host.storages.keys()]).toEqual(['0'])
  })

  it('ordered dicts, sets, sizes and what has no weights', () => {
    expect(run("ccollections\nOrderedDict\n(((S'a'\nI1\nlltR")).toMatchObject({ entries: new Map([['a', 1]]) })
    expect(run('ccollections\nOrderedDict\n)R')).toMatchObject({ entries: new Map() })
    expect(run('c__builtin__\nset\n((I1\nI1\nI2\nltR')).toMatchObject({ items: new Set([1, 2]) })
    expect(run('cbuiltins\nset\n)R')).toMatchObject({ items: new Set() })
    expect(run('ctorch\nSize\n((I2\nI3\nttR')).toMatchObject({ items: [2, 3] })
    expect(run("ctorch\ndevice\n(S'cpu'\ntR")).toBe(null)
    expect(run("ctorch.serialization\n_get_layout\n(S'torch.strided'\ntR")).toBe(null)
  })
})

describe('what is refused', () => {
  const many = Array.from({ length: 65 }, () => 'I1\n').join('')
  it.each([
    ['a tensor without a storage', tensorOf(`NI0\n${sizes}`), 'a tensor without a storage'],
    ['an offset below zero', tensorOf(`${storage}I-1\n${sizes}`), 'the offset of a tensor is no whole number'],
    ['an offset that is no number', tensorOf(`${storage}S'0'\n${sizes}`), 'the offset of a tensor'],
    ['a size that is a list', tensorOf(`${storage}I0\n(I6\nl(I1\nt`), 'the size of a tensor is no tuple'],
    ['a size below zero', tensorOf(`${storage}I0\n(I-6\nt(I1\nt`), 'the size of a tensor is no tuple'],
    ['a stride that is no number', tensorOf(`${storage}I0\n(I6\nt(F0.5\nt`), 'the stride of a tensor is no tuple'],
    ['65 axes', tensorOf(`${storage}I0\n(${many}t(${many}t`), 'the size of a tensor is no tuple'],
    ['ranks that differ', tensorOf(`${storage}I0\n(I6\nt)`), 'size and stride of a tensor differ in rank'],
    ['no arguments', tensorOf(''), 'a tensor without a storage'],
    [
      'an untyped storage in a typed tensor',
      tensorOf(`${storageId('torch.storage\nUntypedStorage')}QI0\n${sizes}`),
      'a tensor of an untyped storage without a type',
    ],
    [
      'a dtype that is a storage',
      tensorOf(`${storage}I0\n${sizes}I00\n)ctorch\nFloatStorage\nN`, 'torch._utils\n_rebuild_tensor_v3'),
      'a tensor whose dtype is none',
    ],
    ['a parameter of a number', tensorOf('I1\n', 'torch._utils\n_rebuild_parameter'), 'a parameter that holds no'],
    [
      'a dict put together as a tensor',
      tensorOf('ccollections\nOrderedDict\nN)N', 'torch._tensor\n_rebuild_from_type_v2'),
      'collections.OrderedDict makes no tensor',
    ],
    ['a type of nothing', tensorOf('NN)N', 'torch._tensor\n_rebuild_from_type_v2'), 'cannot be put together'],
    ['an ordered dict of a number', 'ccollections\nOrderedDict\n(I1\ntR', 'of something that is no list'],
    ['an ordered dict of numbers', 'ccollections\nOrderedDict\n((I1\nltR', 'of something that are no pairs'],
    ['a size of a number', 'ctorch\nSize\n(I1\ntR', 'the size of a tensor is no tuple'],
    ['a call of a storage', 'ctorch\nFloatStorage\n)R', 'only a type'],
    ['an id that is a number', 'I1\nQ', 'a persistent id that is no storage'],
    ['an id of something else', "(S'module'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI6\ntQ", 'that is no storage'],
    ['a storage of a dtype', `${storageId('torch\nfloat32')}Q`, 'a storage of no known type'],
    ['a storage whose key is a number', `${storageId('torch\nFloatStorage', 'I0')}Q`, 'without key and length'],
    ['a storage below zero', `${storageId('torch\nFloatStorage', "S'0'", 'I-6')}Q`, 'without key and length'],
    [
      'a storage beyond any file',
      `${storageId('torch\nDoubleStorage', "S'0'", 'L9007199254740991L')}Q`,
      'a storage of 9007199254740991 elements',
    ],
    [
      'a storage of two lengths',
      `(${storage}${storageId('torch\nFloatStorage', "S'0'", 'I7')}Ql`,
      'storage 0 is described twice and differently',
    ],
    [
      'a storage of two types',
      `(${storage}${storageId('torch\nIntStorage')}Ql`,
      'storage 0 is described twice and differently',
    ],
    ['a global that runs something', 'cos\nsystem\n', 'os.system'],
    ['a global of torch that runs something', 'ctorch\nload\n', 'torch.load'],
  ])('%s', (_, opcodes, message) => {
    expect(() => run(opcodes)).toThrow(message)
  })
})
