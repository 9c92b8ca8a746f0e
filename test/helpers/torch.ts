import { zip } from './archive.js'

/** PyTorch files of tensors by name, in the two formats of `torch.save`, written from its documentation. */

export interface TorchTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** float32, little-endian. */
  readonly bytes: Uint8Array
}

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  const head = Buffer.from('X\0\0\0\0')
  head.writeUInt32LE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}
const integer = (value: number): Buffer => {
  const bytes = Buffer.from('J\0\0\0\0')
  bytes.writeInt32LE(value, 1)
  return bytes
}
const op = (code: string): Buffer => Buffer.from(code, 'latin1')
const global = (module: string, name: string): Buffer => op(`c${module}\n${name}\n`)
const tuple = (...items: readonly Buffer[]): Buffer => Buffer.concat([op('('), ...items, op('t')])
const call = (callee: Buffer, args: Buffer): Buffer => Buffer.concat([callee, args, op('R')])
const orderedDict = call(global('collections', 'OrderedDict'), op(')'))
const pickle = (...body: readonly Buffer[]): Buffer => Buffer.concat([op('\x80\x02'), ...body, op('.')])

/** `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks)`. */
function rebuild({ shape, bytes }: TorchTensor, key: string, legacy: boolean): Buffer {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((n, d) => n * d, 1))
  const id = [text('storage'), global('torch', 'FloatStorage'), text(key), text('cpu'), integer(bytes.length / 4)]
  const storage = Buffer.concat([tuple(...id, ...(legacy ? [op('N')] : [])), op('Q')])
  const args = [
    storage,
    integer(0),
    tuple(...shape.map(integer)),
    tuple(...strides.map(integer)),
    op('\x89'),
    orderedDict,
  ]
  return call(global('torch._utils', '_rebuild_tensor_v2'), tuple(...args))
}

const stateDict = (tensors: readonly TorchTensor[], legacy: boolean): Buffer =>
  pickle(
    orderedDict,
    op('('),
    ...tensors.flatMap((tensor, i) => [text(tensor.name), rebuild(tensor, String(i), legacy)]),
    op('u'),
  )

/** As `torch.save` writes since PyTorch 1.6: a zip of the pickle and one file a storage. */
export const torchZip = (tensors: readonly TorchTensor[], folder = 'archive'): Promise<Buffer> =>
  zip(
    [
      { name: `${folder}/data.pkl`, data: stateDict(tensors, false) },
      { name: `${folder}/version`, data: Buffer.from('3\n') },
      ...tensors.map(({ bytes }, i) => ({ name: `${folder}/data/${i}`, data: Buffer.from(bytes) })),
    ],
    { compress: false },
  )

/** As `torch.save` wrote before: pickles of magic number, version, machine, object and keys, then the storages. */
export function torchLegacy(tensors: readonly TorchTensor[]): Buffer {
  const magic = Buffer.from('8a0a6cfc9c46f9206aa85019', 'hex')
  const machine = [op('}('), text('little_endian'), op('\x88'), text('protocol_version'), integer(1001), op('u')]
  const keys = [op(']('), ...tensors.map((_, i) => text(String(i))), op('e')]
  const storages = tensors.flatMap(({ bytes }) => {
    const length = Buffer.alloc(8)
    length.writeBigInt64LE(BigInt(bytes.length / 4))
    return [length, Buffer.from(bytes)]
  })
  const heads = [pickle(magic), pickle(integer(1001)), pickle(...machine), stateDict(tensors, true), pickle(...keys)]
  return Buffer.concat([...heads, ...storages])
}
