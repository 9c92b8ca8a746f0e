/** `node:util` in a browser. */

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** True if two values of JSON are equal. */
export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  const isSame = (name: string): boolean => name in b && isDeepStrictEqual(a[name], b[name])
  return names.length === Object.keys(b).length && names.every(isSame)
}
