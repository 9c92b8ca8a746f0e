/**
 * Paths of a `FilePort`: joined by `/` on every system. The functions give the results of `node:path/posix`, except for
 * redundant slashes: `join` leaves none at the end, `dirname` no two in a row.
 */

/** `path` without `.`, empty parts and `..` after a name; `.` if nothing is left. */
function normalise(path: string): string {
  const isAbsolute = path.startsWith('/')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    const last = parts.at(-1)
    if (part !== '..' || (last === undefined && !isAbsolute) || last === '..') parts.push(part)
    else parts.pop()
  }
  const whole = parts.join('/').replace(/^(https?:)\/(?=.)/, '$1//')
  return isAbsolute ? `/${whole}` : whole === '' ? '.' : whole
}

/** One normalised path from its parts. */
export const join = (...parts: readonly string[]): string => normalise(parts.filter((part) => part !== '').join('/'))

/** Path of the folder that holds `path`; `.` for a bare name. */
export function dirname(path: string): string {
  const trimmed = path.replace(/(?<=.)\/+$/, '')
  const at = trimmed.lastIndexOf('/')
  if (at === -1) return '.'
  return at === 0 ? '/' : trimmed.slice(0, at).replace(/(?<=.)\/+$/, '')
}

/** Last part of a path. */
export function basename(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed.slice(trimmed.lastIndexOf('/') + 1)
}
