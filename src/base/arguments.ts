import { usage } from './errors.js'

/**
 * Checks of what a caller without types may get wrong: an argument that is forgotten or of another type is a usage
 * error that names it, not a TypeError from the depth.
 */

/** @throws AlbertkitError `usage` if `value` is not a string, or empty */
export function requireText(name: string, value: unknown): void {
  if (value === undefined || value === null || value === '')
    throw usage(`\`${name}\` is missing`, { code: 'option-missing' })
  if (typeof value !== 'string') throw usage(`\`${name}\` is not a string`, { code: 'option-invalid' })
}

/** @throws AlbertkitError `usage` if `value` is not an array of strings; the hint names some of `known` */
export function requireTexts(name: string, value: unknown, known: readonly string[]): void {
  const hint = `\`${name}\` is a list of ${known.join(', ')}`
  if (value === undefined || value === null) throw usage(`\`${name}\` is missing`, { code: 'option-missing', hint })
  if (!Array.isArray(value)) throw usage(`\`${name}\` is not a list`, { code: 'option-invalid', hint })
  const wrong: unknown = value.find((one) => typeof one !== 'string')
  if (wrong !== undefined) throw usage(`\`${name}\` has ${JSON.stringify(wrong)}`, { code: 'option-invalid', hint })
}

/** @throws AlbertkitError `usage` if `value` is not an array, or has an element that is not one of `known` */
export function requireOneOf(name: string, value: unknown, known: readonly string[]): void {
  requireTexts(name, value, known)
  const hint = `\`${name}\` is a list of ${known.join(', ')}`
  const wrong: unknown = (value as readonly unknown[]).find((one) => !known.includes(one as string))
  if (wrong !== undefined) throw usage(`\`${name}\` has ${JSON.stringify(wrong)}`, { code: 'option-invalid', hint })
}

/** @throws AlbertkitError `usage` if `value` is not an object */
export function requireObject(name: string, value: unknown): void {
  if (value === undefined || value === null) throw usage(`\`${name}\` is missing`, { code: 'option-missing' })
  if (typeof value !== 'object') throw usage(`\`${name}\` is not an object`, { code: 'option-invalid' })
}
