import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { AlbertkitError, malformed, unsupported } from '../../base/errors.js'
import { PieceBudget } from './limits.js'

/** Contents of a `spiece.model`: the fields of google/sentencepiece's sentencepiece_model.proto for unigram models. */
export interface SpieceModel {
  readonly pieces: readonly Piece[]
  /** Double-array trie and replacements as SentencePiece stores them; empty if the model has no charsmap. */
  readonly charsmap: Uint8Array
  readonly addDummyPrefix: boolean
  readonly removeExtraWhitespaces: boolean
  readonly escapeWhitespaces: boolean
}

export type PieceKind = 'piece' | 'unknown' | 'control' | 'user' | 'unused' | 'byte'
export interface Piece {
  readonly piece: string
  /** Logarithm of its probability, float32. */
  readonly score: number
  readonly kind: PieceKind
}

const KINDS: readonly PieceKind[] = ['piece', 'piece', 'unknown', 'control', 'user', 'unused', 'byte']
const UNIGRAM = 1
/** Wire types of a piece's fields, by number. */
const PIECE_WIRES = [undefined, WireType.LengthDelimited, WireType.Bit32, WireType.Varint]

/** Calls `visit` for each field of a message. `visit` returns true if it read the field. */
function readFields(bytes: Uint8Array, visit: (field: number, reader: BinaryReader, wire: WireType) => boolean): void {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag()
    if (!visit(field, reader, wire)) reader.skip(wire, field)
  }
}

function readPiece(bytes: Uint8Array): Piece {
  let [piece, score, kind] = ['', 0, 1]
  readFields(bytes, (field, reader, wire) => {
    // A message of another kind, a node of a graph for instance, has other types of fields.
    if (field <= 3 && wire !== PIECE_WIRES[field]) throw new RangeError(`field ${field} of a piece has type ${wire}`)
    if (field === 1) piece = reader.string()
    else if (field === 2) score = reader.float()
    else if (field === 3) kind = reader.int32()
    else return false
    return true
  })
  return { piece, score, kind: KINDS[kind] ?? 'piece' }
}

/**
 * Reads a `spiece.model`.
 * @throws AlbertkitError `malformed` if it is not a SentencePiece model, `unsupported` if it is not a unigram model
 */
export function parseSpieceModel(bytes: Uint8Array, file: string): SpieceModel {
  const pieces: Piece[] = []
  const budget = new PieceBudget(file)
  let charsmap: Uint8Array = new Uint8Array()
  let [dummyPrefix, removeExtra, escape] = [true, true, true]
  let kind = UNIGRAM
  try {
    readFields(bytes, (field, reader, wire) => {
      if (wire !== WireType.LengthDelimited || field > 3) return false
      const part = reader.bytes()
      if (field === 1) {
        budget.add(part.length)
        pieces.push(readPiece(part))
      } else if (field === 2)
        readFields(part, (f, r, w) => {
          if (f !== 3 || w !== WireType.Varint) return false
          kind = r.int32()
          return true
        })
      else
        readFields(part, (f, r) => {
          if (f === 2) charsmap = r.bytes()
          else if (f === 3) dummyPrefix = r.bool()
          else if (f === 4) removeExtra = r.bool()
          else if (f === 5) escape = r.bool()
          else return false
          return true
        })
      return true
    })
  } catch (error) {
    if (error instanceof AlbertkitError) throw error
    throw malformed('the SentencePiece model cannot be read', {
      code: 'tokenizer-invalid',
      file,
      cause: error,
      hint: 'is the file whole?',
    })
  }
  budget.check(pieces)
  if (pieces.length === 0)
    throw malformed('the file holds no pieces', { code: 'tokenizer-invalid', file, hint: 'a SentencePiece model does' })
  if (kind !== UNIGRAM)
    throw unsupported('the SentencePiece model is not of the unigram kind', {
      code: 'tokenizer-unsupported',
      file,
      hint: "ALBERT's are",
    })
  return {
    pieces,
    charsmap,
    addDummyPrefix: dummyPrefix,
    removeExtraWhitespaces: removeExtra,
    escapeWhitespaces: escape,
  }
}

/** True if bytes, or the first ones of a file, look like a SentencePiece model: a list of pieces. */
export function looksLikeSpieceModel(head: Uint8Array): boolean {
  const [tag, length = 0, inner, text = 0] = head
  return tag === 0x0a && inner === 0x0a && length >= text + 2 && length < 0x80
}
