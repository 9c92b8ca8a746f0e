import { layoutOf, precisionNamed, PRECISIONS, TARGET_NAMES, type Precision, type Target } from './artefact-layout.js'
import { usage } from './errors.js'
import { nearest } from './nearest.js'

/** A target, and after a colon the element types of its weights: `onnx`, `tfjs:f16`, `onnx:f32,f16,int8`. */
export type TargetChoice = Target | `${Target}:${string}`

/** A target with its element types; null for those that hold for all targets. */
export interface ParsedChoice {
  readonly target: Target
  readonly precisions: readonly Precision[] | null
}

const FORMS = 'a format, or with element types of its own after a colon: onnx, tfjs:f16, onnx:f32,f16,int8'

function oneOf<T extends string>(text: string, word: string, names: readonly T[]): T {
  const found = names.find((name) => name === word)
  if (found !== undefined) return found
  const meant = nearest(word, names)
  throw usage(`\`targets\`=${text} is not one of: ${names.join(', ')}`, {
    code: 'option-invalid',
    hint: meant === null ? FORMS : `did you mean ${text.replace(word, meant)}?`,
  })
}

/** Parses a choice. @throws AlbertkitError `usage` if there is no such target or element type */
export function parseTargetChoice(text: string): ParsedChoice {
  const [name = '', ...rest] = text.split(':')
  const target = oneOf(text, name, TARGET_NAMES)
  if (rest.length === 0) return { target, precisions: null }
  const own = layoutOf(target).precisions
  const known = own.length === 0 ? PRECISIONS : own
  const precisions = rest
    .join(':')
    .split(',')
    .map((word) => oneOf(text, precisionNamed(word) ?? word, known))
  return { target, precisions }
}
