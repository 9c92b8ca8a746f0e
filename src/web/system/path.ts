/** `node:path` in a browser: paths separated by `/`, relative to the root. */

export const sep = '/'
export const delimiter = ':'

/** Parts of a path without `.` and empty ones; `..` takes the part before it away. */
function partsOf(path: string, isAbsolute: boolean): string[] {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (!isAbsolute) parts.push(part)
  }
  return parts
}

export const isAbsolute = (path: string): boolean => path.startsWith('/')

export function normalize(path: string): string {
  const parts = partsOf(path, isAbsolute(path)).join('/')
  const text = isAbsolute(path) ? `/${parts}` : parts === '' ? '.' : parts
  return path.endsWith('/') && !text.endsWith('/') ? `${text}/` : text
}

export function join(...paths: readonly string[]): string {
  const text = paths.filter((path) => path !== '').join('/')
  return text === '' ? '.' : normalize(text)
}

export function resolve(...paths: readonly string[]): string {
  const from = paths.findLastIndex(isAbsolute)
  const text = paths
    .slice(Math.max(0, from))
    .filter((path) => path !== '')
    .join('/')
  return `/${partsOf(text, true).join('/')}`
}

export function dirname(path: string): string {
  const bare = path.length > 1 ? path.replace(/\/+$/, '') : path
  const at = bare.lastIndexOf('/')
  if (at < 0) return '.'
  return at === 0 ? '/' : bare.slice(0, at)
}

export function basename(path: string, ending = ''): string {
  const bare = path.replace(/\/+$/, '')
  const name = bare.slice(bare.lastIndexOf('/') + 1)
  return ending !== '' && name !== ending && name.endsWith(ending) ? name.slice(0, -ending.length) : name
}

export function extname(path: string): string {
  const name = basename(path)
  const at = name.lastIndexOf('.')
  return at <= 0 ? '' : name.slice(at)
}

export function relative(from: string, to: string): string {
  const [a, b] = [partsOf(resolve(from), true), partsOf(resolve(to), true)]
  let common = 0
  while (common < a.length && common < b.length && a[common] === b[common]) common++
  return [...a.slice(common).map(() => '..'), ...b.slice(common)].join('/')
}
