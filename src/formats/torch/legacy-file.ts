import type { ErrorCode } from '../../base/error-codes.js'
import { malformed, unsupported } from '../../base/errors.js'
import type { RangedFile } from '../core/file.js'
import { ByteCursor } from '../pickle/cursor.js'
import { PickleMachine } from '../pickle/machine.js'
import { PickleDict, PickleList, PLAIN_HOST, type PickleValue } from '../pickle/values.js'
import type { StoragePlace, TorchFile } from './file.js'
import { TorchHost } from './globals.js'

/** torch/serialization.py MAGIC_NUMBER: what `torch.save` wrote first before PyTorch 1.6. */
const MAGIC = 0x1950a86a20f9469cfc6cn
const PROTOCOL = 1001
const LENGTH_BYTES = 8

/** A plain value in a message. */
const show = (value: PickleValue): string =>
  typeof value === 'object' && value !== null ? 'that is no plain value' : String(value).slice(0, 100)

/** True if the file begins as `torch.save` before PyTorch 1.6 wrote it. */
export function isLegacyTorch(file: RangedFile): boolean {
  try {
    return new PickleMachine(new ByteCursor(file, 0, Math.min(file.size, 64)), PLAIN_HOST).run() === MAGIC
  } catch {
    return false
  }
}

/** The dict of `torch.save` with the sizes of C's types. */
function checkSystem(file: string, info: PickleValue, offset: number): void {
  if (!(info instanceof PickleDict))
    throw malformed('the description of the machine is no dict', { code: 'header-invalid', file, offset })
  const protocol = info.entries.get('protocol_version')
  if (protocol !== undefined && protocol !== PROTOCOL)
    throw unsupported(`version ${show(protocol)} of the format`, { code: 'format-unsupported', file, offset })
}

/**
 * A file in the format before PyTorch 1.6: magic number, version, description of the machine, the object, the keys of
 * its storages, then each storage as its number of elements (64 bits) and its bytes, little-endian on every machine.
 * @throws AlbertkitError `malformed` or `unsupported`
 */
export function readLegacyTorch(file: RangedFile): TorchFile {
  const cursor = new ByteCursor(file, 0, file.size)
  const fail = (what: string, offset: number, code: ErrorCode = 'header-invalid'): Error =>
    malformed(what, { code, file: file.path, offset, hint: 'the file is damaged or cut off: fetch it again' })
  const plain = (): PickleValue => new PickleMachine(cursor, PLAIN_HOST).run()
  if (plain() !== MAGIC) throw fail('the pickle is no PyTorch file: its magic number is absent', 0, 'not-a-model')
  const version = cursor.position
  const protocol = plain()
  if (protocol !== PROTOCOL)
    throw unsupported(`version ${show(protocol)} of the format`, {
      code: 'format-unsupported',
      file: file.path,
      offset: version,
    })
  const system = cursor.position
  checkSystem(file.path, plain(), system)
  const host = new TorchHost(6)
  const root = new PickleMachine(cursor, host).run()
  const keysAt = cursor.position
  const keys = plain()
  if (!(keys instanceof PickleList)) throw fail('the keys of the storages are no list', keysAt)
  const places = new Map<string, StoragePlace>()
  let offset = cursor.position
  for (const key of keys.items) {
    const storage = typeof key === 'string' ? host.storages.get(key) : undefined
    if (typeof key !== 'string' || storage === undefined || places.has(key))
      throw fail(`the storage ${show(key)} is listed, but no tensor has it`, keysAt)
    if (offset + LENGTH_BYTES > file.size)
      throw fail(`the file ends before storage ${key}`, file.size, 'file-truncated')
    const elements = new DataView(file.bytes(offset, LENGTH_BYTES).buffer).getBigUint64(0, true)
    if (elements * BigInt(storage.type.width) !== BigInt(storage.bytes))
      throw fail(
        `storage ${key} has ${elements} elements, but the pickle says ${storage.bytes / storage.type.width}`,
        offset,
        'range-invalid',
      )
    offset += LENGTH_BYTES
    if (offset + storage.bytes > file.size)
      throw fail(
        `the file ends at byte ${file.size}, but storage ${key} runs to ${offset + storage.bytes}`,
        file.size,
        'file-truncated',
      )
    places.set(key, { offset, bytes: storage.bytes, crc32: null })
    offset += storage.bytes
  }
  const absent = [...host.storages.keys()].find((key) => !places.has(key))
  if (absent !== undefined) throw fail(`storage ${absent.slice(0, 100)} is not in the file`, keysAt, 'tensor-missing')
  return { file, root, places, storages: host.storages, bigEndian: false, notes: ['written before PyTorch 1.6'] }
}
