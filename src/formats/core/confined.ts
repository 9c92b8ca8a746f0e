import { malformed } from '../../base/errors.js'
import type { FilePort } from './file-port.js'
import { join } from './paths.js'

/**
 * Files that a model brings along are in its own folder. One that is a link out of it may be any file of the machine, a
 * secret for instance, which would be read, printed or copied as a vocabulary (onnx ≥ 1.21 refuses such links too). The
 * cache of Hugging Face, whose snapshots are links into `../../blobs`, is one folder.
 */

/** Folder of a snapshot in the cache of Hugging Face, or one in it: the folder of the repository is the first group. */
const SNAPSHOT = /^(.*)\/snapshots\/[^/]+(?:\/|$)/

const isIn = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(`${folder === '/' ? '' : folder}/`)

/** True if a file that is at `real` belongs to the folder that is at `root`. */
function belongs(root: string, real: string): boolean {
  const repository = SNAPSHOT.exec(root)?.[1]
  return isIn(root, real) || (repository !== undefined && isIn(`${repository}/blobs`, real))
}

/**
 * The same files, those in `roots` as long as they are no links out of them. What is elsewhere is not looked at: it was
 * named by the user.
 * @param except paths that the user named, whatever they link to
 */
export function confined(files: FilePort, roots: readonly string[], except: readonly string[] = []): FilePort {
  const folders = roots.map((root) => join(root))
  const named = new Set(except.map((path) => join(path)))
  /** A path below a relative root is relative too, without `.` in front. */
  const holds = (folder: string, path: string): boolean => (folder === '.' ? !path.startsWith('/') : isIn(folder, path))
  const check = (path: string): void => {
    const own = join(path)
    const around = folders.filter((folder) => holds(folder, own))
    if (around.length === 0 || named.has(own) || files.realPath === undefined) return
    const real = files.realPath(path)
    if (real === null) return
    // The innermost folder counts: those around it may be the home of the user.
    const [innermost] = around.sort((a, b) => b.length - a.length)
    const root = files.realPath(innermost!)
    if (root === null || belongs(root, real)) return
    throw malformed('the file is a link that leaves the folder of the model', {
      code: 'path-escapes',
      file: path,
      hint: `it leads to ${real}; if that is meant, name that file, or put it into the folder`,
    })
  }
  return {
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    open(path) {
      check(path)
      return files.open(path)
    },
    ...(files.realPath === undefined ? {} : { realPath: (path: string) => files.realPath!(path) }),
  }
}
