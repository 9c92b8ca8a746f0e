/** Characters that XML 1.0 does not have, not even as references. */
const FORBIDDEN = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
/** A comment, a declaration or an instruction, character data, a tag, or text. */
const PART = /<!--(?:(?!--)[^])*-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>|<!DOCTYPE[^>]*>|<[^<>]*>|[^<]+/gy
const ATTRIBUTES = /^(?:\s+[\w:.-]+\s*=\s*(?:"([^"<]*)"|'([^'<]*)'))*\s*$/
const REFERENCE = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/i

/** What keeps `text` from being well-formed XML; null if it is. */
export function xmlProblem(text: string): string | null {
  const forbidden = FORBIDDEN.exec(text)
  if (forbidden !== null) return `character ${String(forbidden[0].codePointAt(0))} at ${forbidden.index}`
  const open: string[] = []
  let end = 0
  let roots = 0
  for (const [part] of text.matchAll(PART)) {
    const at = end
    end += part.length
    if (/^<[!?]/.test(part)) continue
    if (REFERENCE.test(part)) return `a bare & at ${at}`
    const tag = /^<(\/?)([\w:.-]+)([^]*?)(\/?)>$/.exec(part)
    if (tag === null) {
      if (part.startsWith('<')) return `no tag at ${at}`
      if (open.length === 0 && part.trim() !== '') return `text outside of all elements at ${at}`
      continue
    }
    const [, closes, name = '', attributes = '', empty] = tag
    if (closes === '/') {
      if (open.pop() !== name) return `</${name}> closes something else at ${at}`
    } else {
      if (!ATTRIBUTES.test(attributes)) return `attributes of <${name}> at ${at}`
      if (open.length === 0 && ++roots > 1) return `a second element at ${at}`
      if (empty !== '/') open.push(name)
    }
  }
  if (end < text.length) return `no XML at ${end}`
  if (open.length > 0) return `<${open.at(-1) ?? ''}> is not closed`
  return roots === 1 ? null : 'no element'
}
