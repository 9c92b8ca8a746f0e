import { basename, resolve } from 'node:path'
import { DEMO_FOLDER, GRAPH_TARGETS, graphLayout, type GraphTarget } from '../../base/artefact-layout.js'
import { noDirectory, usage } from '../../base/errors.js'
import { disk, diskPath } from '../../files/disk.js'
import { confined } from '../../formats/core/confined.js'
import { isDirectory, type FilePort } from '../../formats/core/file-port.js'
import { join } from '../../formats/core/paths.js'
import { demoFiles, type WebFile, type WebFiles } from './web-files.js'

/** A model has some dozens of files. */
const MAX_FILES = 10_000
const MAX_DEPTH = 4

/** True unless the file is a link that leaves the folder. */
function belongs(files: FilePort, path: string): boolean {
  try {
    files.open(path).close()
    return true
  } catch {
    return false
  }
}

/** Files of a folder that a page may read: none that is hidden, and none that a link leads to outside of it. */
function* filesBelow(files: FilePort, folder: string, above = '', depth = 0): Generator<[path: string, bytes: number]> {
  for (const name of [...files.list(join(folder, above))].sort()) {
    const path = above === '' ? name : `${above}/${name}`
    const stat = name.startsWith('.') || path === DEMO_FOLDER ? null : files.stat(join(folder, path))
    if (stat?.kind === 'file' && belongs(files, join(folder, path))) yield [path, stat.size]
    else if (stat?.kind === 'directory' && depth < MAX_DEPTH) yield* filesBelow(files, folder, path, depth + 1)
  }
}

/** What the page is told of its place: the name of the folder, and its files with their sizes. */
const placeOf = (directory: string, files: readonly (readonly [path: string, bytes: number])[]): WebFile =>
  Buffer.from(`${JSON.stringify({ name: basename(resolve(directory)), files: Object.fromEntries(files) })}\n`)

/**
 * Files of the page of a folder's artefacts, and of the folder.
 * @throws AlbertkitError `usage` if there is no such folder or it holds more than a model does, `environment`
 */
export function folderFiles(directory: string): WebFiles {
  const root = diskPath(directory)
  if (!isDirectory(disk, root)) throw noDirectory(directory)
  const port = confined(disk, [root])
  const found: [string, number][] = []
  for (const file of filesBelow(port, root)) {
    found.push(file)
    if (found.length > MAX_FILES)
      throw usage(`the folder holds more than ${MAX_FILES} files`, {
        code: 'limit-exceeded',
        file: directory,
        hint: 'name the folder of one model',
      })
  }
  const targets = GRAPH_TARGETS.filter((target) =>
    found.some(([path]) => path.startsWith(`${graphLayout(target).folder}/`)),
  ) as readonly GraphTarget[]
  return new Map<string, WebFile>([
    ...found.map(([path]): [string, string] => [path, join(root, path)]),
    ...[...demoFiles(targets)].map(([path, file]): [string, string] => [`${DEMO_FOLDER}/${path}`, file]),
    [`${DEMO_FOLDER}/place.json`, placeOf(directory, found)],
  ])
}
