import { basename, resolve, sep } from 'node:path'

/** Short names for models: the last part of each path, and as many more parts as make the names distinct. */
export function distinctNames(paths: readonly string[]): string[] {
  const full = paths.map((path) => resolve(path).split(sep))
  const short = (parts: readonly string[], depth: number): string => parts.slice(-depth).join('/')
  const same = (i: number, depth: number): boolean =>
    full.some((other) => other.join(sep) !== full[i]!.join(sep) && short(other, depth) === short(full[i]!, depth))
  return full.map((parts, i) => {
    let depth = 1
    while (depth < parts.length && same(i, depth)) depth++
    const name = depth === 1 ? basename(resolve(paths[i]!)) : short(parts, depth)
    // The same path given twice is numbered.
    const before = full.slice(0, i).filter((other) => other.join(sep) === parts.join(sep)).length
    return before === 0 ? name : `${name} (${before + 1})`
  })
}
