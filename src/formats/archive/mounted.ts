import type { FilePort } from '../core/file-port.js'
import { join } from '../core/paths.js'
import { treeFiles } from '../core/tree-port.js'
import type { Members } from './members.js'

/**
 * `outer` with the archive `at` as a folder: the paths of its members begin with the path of the archive. Other files
 * keep their paths.
 */
export function mounted(outer: FilePort, at: string, { files, folders }: Members): FilePort {
  const root = join(at)
  const inner = treeFiles(
    [...files].map(([path, file]) => [`${root}/${path}`, file] as const),
    [root, ...folders.map((path) => `${root}/${path}`)],
  )
  const portOf = (path: string): FilePort => {
    const whole = join(path)
    return whole === root || whole.startsWith(`${root}/`) ? inner : outer
  }
  return {
    stat: (path) => portOf(path).stat(path),
    list: (path) => portOf(path).list(path),
    open: (path) => portOf(path).open(path),
    ...(outer.realPath === undefined
      ? {}
      : { realPath: (path: string) => (portOf(path) === inner ? join(path) : outer.realPath!(path)) }),
  }
}
