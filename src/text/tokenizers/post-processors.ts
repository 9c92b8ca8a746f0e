import { malformed, unsupported } from '../../base/errors.js'
import { fieldsOf, type Fields } from './normalizers.js'
import { defaultFrame, type Frame, type FramePart } from './tokenizer.js'

/** Post-processors of a `tokenizer.json`: special tokens around texts (huggingface/tokenizers, src/processors). */

const TEXTS: Frame = {
  single: [{ text: 'a', segment: 0 }],
  pair: [
    { text: 'a', segment: 0 },
    { text: 'b', segment: 1 },
  ],
}

/** The id in a pair of token and id. */
function idIn(value: unknown, file: string, field: string): number {
  const id: unknown = Array.isArray(value) ? value[1] : undefined
  if (Number.isInteger(id) && (id as number) >= 0) return id as number
  throw malformed('the tokenizer is damaged', { code: 'tokenizer-invalid', file, field: `post_processor.${field}` })
}

function templateParts(pieces: unknown, special: Fields, file: string, field: string): FramePart[] {
  const damaged = () =>
    malformed('the tokenizer is damaged', { code: 'tokenizer-invalid', file, field: `post_processor.${field}` })
  if (!Array.isArray(pieces)) throw damaged()
  return (pieces as unknown[]).flatMap((piece): FramePart[] => {
    const { SpecialToken: token, Sequence: text } = fieldsOf(piece)
    const { id, type_id } = fieldsOf(token ?? text)
    const segment = Number(type_id ?? 0)
    if (text !== undefined && (id === 'A' || id === 'B')) return [{ text: id === 'A' ? 'a' : 'b', segment }]
    const { ids } = fieldsOf(special[String(id)])
    if (token === undefined || !Array.isArray(ids)) throw damaged()
    return (ids as unknown[]).map((own) => ({ id: Number(own), segment }))
  })
}

/**
 * The frame that `post_processor` of a `tokenizer.json` describes.
 * @throws AlbertkitError `unsupported` if its type is unknown, `malformed` if it is damaged
 */
export function buildFrame(value: unknown, file: string): Frame {
  if (value === null || value === undefined) return TEXTS
  const fields = fieldsOf(value)
  const { type } = fields
  switch (type) {
    case 'TemplateProcessing': {
      const special = fieldsOf(fields.special_tokens)
      return {
        single: templateParts(fields.single, special, file, 'single'),
        pair: templateParts(fields.pair, special, file, 'pair'),
      }
    }
    case 'BertProcessing':
      return defaultFrame({ cls: idIn(fields.cls, file, 'cls'), sep: idIn(fields.sep, file, 'sep') })
    case 'RobertaProcessing': {
      const special = { cls: idIn(fields.cls, file, 'cls'), sep: idIn(fields.sep, file, 'sep') }
      const { single } = defaultFrame(special)
      const sep = { id: special.sep, segment: 0 }
      return { single, pair: [...single, sep, { text: 'b', segment: 0 }, sep] }
    }
    // Offsets alone.
    case 'ByteLevel':
      return TEXTS
    case 'Sequence': {
      const parts = Array.isArray(fields.processors) ? (fields.processors as unknown[]) : []
      const framing = parts.filter((part) => fieldsOf(part).type !== 'ByteLevel')
      if (framing.length <= 1) return buildFrame(framing[0], file)
      break
    }
    default:
  }
  throw unsupported(`the tokenizer has the post-processor ${typeof type === 'string' ? type : 'without a type'}`, {
    code: 'tokenizer-unsupported',
    file,
    field: 'post_processor',
  })
}
