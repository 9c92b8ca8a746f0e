/// <reference lib="dom" />
import { usage } from '../../base/errors.js'
import type { FileContents, MountedFiles, RemoteFile } from './protocol.js'

/** Models as a page has them. */
export type ModelInput =
  /** A file: weights, or an archive. A blob without a name needs one. */
  | Blob
  /** Files of an input element or of a drop, with the folder that they were chosen in, if there is one. */
  | FileList
  | readonly File[]
  /** A folder or file of the File System Access API. */
  | FileSystemDirectoryHandle
  | FileSystemFileHandle
  /** A file on a server that answers requests for ranges. */
  | URL
  /** Files and addresses by their paths in a folder. */
  | ReadonlyMap<string, Blob | URL | RemoteFile>

/** Files to mount, under a name. */
export interface Gathered {
  readonly name: string
  readonly files: MountedFiles
}

/** A model has some dozens of files; who drops a whole disk is told. */
const MAX_FILES = 10_000
/** Name of files that come without a folder. */
const UNNAMED = 'model'

const one = (name: string, contents: FileContents): Gathered => ({ name, files: [['', contents]] })

/** Last part of an address, as the name of its file. */
const nameOfUrl = (url: URL): string => decodeURIComponent(url.pathname.split('/').filter(Boolean).pop() ?? UNNAMED)

/** Folder and path within it of a file that was chosen with its folder. */
function placeOf({ webkitRelativePath: path, name }: File): [folder: string | null, path: string] {
  const at = path.indexOf('/')
  return at < 0 ? [null, name] : [path.slice(0, at), path.slice(at + 1)]
}

function fromFiles(files: readonly File[]): Gathered {
  const [only] = files
  if (only === undefined) throw usage('there are no files', { code: 'model-not-found' })
  if (files.length === 1 && only.webkitRelativePath === '') return one(only.name, only)
  const [folder] = placeOf(only)
  return { name: folder ?? UNNAMED, files: files.map((file) => [placeOf(file)[1], file]) }
}

async function* filesOf(
  folder: FileSystemDirectoryHandle,
  above = '',
): AsyncGenerator<readonly [path: string, file: File]> {
  const entries = (folder as unknown as { values(): AsyncIterable<FileSystemHandle> }).values()
  for await (const entry of entries) {
    const path = `${above}${entry.name}`
    if (entry.kind === 'directory') yield* filesOf(entry as FileSystemDirectoryHandle, `${path}/`)
    else yield [path, await (entry as FileSystemFileHandle).getFile()]
  }
}

async function fromFolder(folder: FileSystemDirectoryHandle): Promise<Gathered> {
  const files: (readonly [string, File])[] = []
  for await (const file of filesOf(folder)) {
    files.push(file)
    if (files.length > MAX_FILES)
      throw usage(`the folder holds more than ${MAX_FILES} files`, {
        code: 'limit-exceeded',
        file: folder.name,
        hint: 'choose the folder of one model',
      })
  }
  return { name: folder.name, files }
}

const isHandle = (input: object): input is FileSystemHandle => 'kind' in input && 'isSameEntry' in input

/** Lists the files of an input. @throws AlbertkitError `usage` if there are none, or too many */
export async function gather(input: ModelInput, name?: string): Promise<Gathered> {
  const found = await gatherAny(input)
  return name === undefined ? found : { ...found, name }
}

async function gatherAny(input: ModelInput): Promise<Gathered> {
  if (input instanceof Blob) return one(input instanceof File ? input.name : UNNAMED, input)
  if (input instanceof URL) return one(nameOfUrl(input), input.href)
  if (isHandle(input)) return input.kind === 'directory' ? fromFolder(input) : fromFiles([await input.getFile()])
  if (input instanceof Map)
    return {
      name: UNNAMED,
      files: [...(input as ReadonlyMap<string, Blob | URL | RemoteFile>)].map(([path, contents]) => [
        path,
        contents instanceof URL ? contents.href : contents,
      ]),
    }
  return fromFiles(Array.from(input as Iterable<File>))
}
