import { malformed, type AlbertkitError } from '../../base/errors.js'
import type { FilePort, OpenFile } from './file-port.js'
import { join } from './paths.js'

/** A file of a tree; `open` takes the path that was asked for, for messages. */
export interface TreeFile {
  readonly size: number
  open(path: string): OpenFile
}

/**
 * Port to files whose paths are all known in advance: files in memory, members of an archive. Folders exist because of
 * the files in them.
 * @param folders paths of folders that may be empty
 */
export function treeFiles(
  contents: Iterable<readonly [path: string, file: TreeFile]>,
  folders: Iterable<string> = [],
): FilePort {
  const files = new Map<string, TreeFile>()
  const names = new Map<string, Set<string>>([['.', new Set()]])
  const addFolder = (path: string): void => {
    if (names.has(path)) return
    names.set(path, new Set())
    addToParent(path)
  }
  const addToParent = (path: string): void => {
    if (path === '/') return
    const at = path.lastIndexOf('/')
    const parent = at === -1 ? '.' : at === 0 ? '/' : path.slice(0, at)
    addFolder(parent)
    names.get(parent)!.add(path.slice(at + 1))
  }
  for (const folder of folders) addFolder(join(folder))
  for (const [path, file] of contents) {
    files.set(join(path), file)
    addToParent(join(path))
  }
  const missing = (file: string): AlbertkitError =>
    malformed('there is no such file or directory', { code: 'file-missing', file })
  return {
    stat(path) {
      const file = files.get(join(path))
      if (file !== undefined) return { kind: 'file', size: file.size }
      return names.has(join(path)) ? { kind: 'directory', size: 0 } : null
    },
    list(path) {
      const inside = names.get(join(path))
      if (inside === undefined) throw missing(path)
      return [...inside]
    },
    open(path) {
      const file = files.get(join(path))
      if (file !== undefined) return file.open(path)
      if (!names.has(join(path))) throw missing(path)
      throw malformed('a directory where a file is expected', { code: 'file-not-regular', file: path })
    },
  }
}
