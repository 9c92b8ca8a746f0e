// What must hold of every mutant that is read: the same contents each time, all of them in the file, every byte written.
import { createHash } from 'node:crypto'
import * as albertkit from '../../dist/index.js'
import { AlbertkitError, memoryFiles } from '../../dist/index.js'
import { splitRecords } from '../../dist/formats/tf-record.js'
import { decodeRecord, RecordError } from '../../dist/text/data/feature-record.js'
import { readSquad } from '../../dist/text/data/squad.js'

/** Exit codes of a bad file. */
const EXIT_CODES = new Set([2, 3, 4])
/** Tensors above this size are not read whole: no mutant has so many bytes, unless it is compressed. */
const READ_BYTES = 1e6
const UNREAD = new Set(['STRING', 'VARIANT', 'OTHER'])

/** A property that does not hold. */
class Broken extends Error {}

function readTensor(source, info, fill, hash) {
  const { name, dtype, shape, byteLength } = info
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0))
    throw new Broken(`${name} has the shape [${shape.join()}]`)
  if (!Number.isSafeInteger(byteLength) || byteLength < 0) throw new Broken(`${name} has ${byteLength} bytes`)
  hash.update(`${name}\n${dtype} ${shape.join()}\n`)
  if (UNREAD.has(dtype)) return source.verifyChecksum(name)
  if (byteLength > READ_BYTES) {
    // Its last bytes are not in the file, or are refused.
    source.read(name, byteLength - 16, new Uint8Array(16))
    hash.update('large')
    return
  }
  // Bytes that a reader leaves out keep what was there before, and differ the second time.
  const bytes = new Uint8Array(byteLength).fill(fill)
  const cut = fill === 0 ? bytes.length : bytes.length >> 1
  if (bytes.length === 0) source.verifyChecksum(name)
  else {
    if (cut > 0) source.read(name, 0, bytes.subarray(0, cut))
    if (cut < bytes.length) source.read(name, cut, bytes.subarray(cut))
  }
  hash.update(bytes)
}

/** Everything that a source gives out, as one hash. */
export function contentsOf(source, fill) {
  const hash = createHash('sha1')
  for (const info of source.tensors.values()) readTensor(source, info, fill, hash)
  if (source.graph !== undefined)
    for (const node of source.graph.nodes())
      hash.update(`${node.name} ${node.op} ${node.inputs.join()} ${node.numbers()?.join() ?? ''}\n`)
  return hash.digest('hex')
}

/** Reads all tensors of a file without a configuration. */
export async function readTensors(files, path, { fill, checksum }) {
  const source = await albertkit.openSource(path, { files, checksum })
  try {
    return contentsOf(source, fill)
  } finally {
    source.close()
  }
}

/** What `body` makes of an opened model. */
export async function withModel(files, path, options, body) {
  const opened = await albertkit.openModel(path, { files, manifest: false, ...options })
  try {
    return await body(opened)
  } finally {
    opened.close()
  }
}

/** Opens and reads all of a model: identification, configuration, every tensor. */
export const readModel = (files, path, { fill, checksum }) =>
  withModel(
    files,
    path,
    { checksum },
    ({ model, source }) => `${JSON.stringify(model.config)} ${contentsOf(source, fill)}`,
  )

export const readTokenizer = (files, path) => {
  const tokenizer = albertkit.loadTokenizer(path, { files })
  return JSON.stringify(['the 12 央行 [MASK] ﬁ é', '', '\u0301'].map((text) => tokenizer.encode(text)))
}

function bytesOf(files, path) {
  const file = files.open(path)
  const bytes = new Uint8Array(file.size)
  if (bytes.length > 0) file.read(0, bytes)
  file.close()
  return bytes
}

export const readLines = (format) => (files, path) => {
  const reader = new albertkit.ExampleReader({ format, header: true })
  const lines = new TextDecoder().decode(bytesOf(files, path)).split('\n')
  return JSON.stringify(lines.map((text, i) => reader.read({ number: i + 1, text })))
}

export const readQuestions = (files, path) =>
  JSON.stringify(readSquad(new TextDecoder().decode(bytesOf(files, path)), path))

/** Records of a TFRecord file in pieces of 7 bytes or whole; a record that is no example is told, as commands do. */
export async function readRecords(files, path, { fill }) {
  const bytes = bytesOf(files, path)
  async function* pieces() {
    const step = fill === 0 ? bytes.length : 7
    for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step)
  }
  const found = []
  for await (const record of splitRecords(pieces(), path))
    try {
      found.push(JSON.stringify(decodeRecord(record.bytes)))
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      found.push(error.message)
    }
  return found.join('\n')
}

/** Reads a mutant: `read`, `refused`, or what is wrong with the way in which it ended. */
export async function judge({ read, path }, files, number) {
  const tried = async (fill) => {
    const port = memoryFiles([...files].map(([name, bytes]) => [`/m/${name}`, bytes]))
    return await read(port, path === '' ? '/m' : `/m/${path}`, { fill, checksum: number % 2 === 0 })
  }
  let contents = null
  try {
    contents = await tried(0)
    const again = await tried(0xa5)
    return again === contents ? 'read' : 'it has other contents when it is read again'
  } catch (error) {
    if (error instanceof Broken) return error.message
    if (!(error instanceof AlbertkitError)) return `not an AlbertkitError: ${error?.stack ?? String(error)}`
    if (contents !== null) return `it is read once, and refused when it is read again: ${error.message}`
    return EXIT_CODES.has(error.exitCode) ? 'refused' : `exit code ${error.exitCode}: ${error.message}`
  }
}
