import { resolve } from 'node:path'
import { MANIFEST_FILE } from '../../base/artefact-layout.js'
import { exists, isDirectory, type FilePort } from '../../formats/core/file-port.js'
import { openLocated } from '../../formats/core/open.js'
import { basename, join } from '../../formats/core/paths.js'
import { isHubPath, isUrl } from '../../hub/reference.js'
import { homeOf } from './home.js'
import { manifestIn } from './manifest-files.js'
import { placeOf, type ModelPlace } from './place.js'

/** Models and directories on servers, for what reads the disk: runtimes, workers of a queue. */

/** Files of a model's folder that are fetched besides its weights: configurations, vocabularies, labels. */
const MAX_BESIDE = 32 * 1024 * 1024
/** Folders in one another of a directory on a server: modules of sentence-transformers, artefacts. */
const MAX_DEPTH = 3

/** Every file below a folder, as far as the port knows. */
function filesBelow(files: FilePort, folder: string, depth = 0): readonly string[] {
  if (depth > MAX_DEPTH) return []
  return files.list(folder).flatMap((name) => {
    const path = join(folder, name)
    return isDirectory(files, path) ? filesBelow(files, path, depth + 1) : [path]
  })
}

/** Files of a directory that `convert` wrote; without a manifest, all that are known. */
function outputFiles(files: FilePort, directory: string): readonly string[] {
  const manifest = manifestIn(files, directory)
  if (manifest === null) return filesBelow(files, directory)
  const { artefacts, files: beside = [] } = manifest
  const listed = [...Object.values(artefacts).flatMap((one) => one.files), ...beside].map(({ name }) => name)
  return [MANIFEST_FILE, ...listed].map((name) => join(directory, name)).filter((path) => exists(files, path))
}

/** Weights of a model, and the small files of its folder. */
async function modelFiles({ files, path }: ModelPlace): Promise<readonly string[]> {
  if (/^(vocab|spiece|tokenizer)/.test(basename(path))) return [path]
  const { source, directories } = await openLocated(files, homeOf(path), { allowMissingData: true })
  source.close()
  // An archive is fetched as it is.
  const own = source.files.map((file) => (exists(files, file) ? file : path))
  const beside = directories
    .filter((directory) => isDirectory(files, directory))
    .flatMap((directory) => filesBelow(files, directory))
    .filter((file) => (files.stat(file)?.size ?? Infinity) <= MAX_BESIDE)
  return [...new Set([...own, ...beside, ...(isDirectory(files, path) ? [] : [path])])]
}

/** A directory of the disk, and what is to be called when it is no longer read. */
export interface FetchedDirectory {
  readonly path: string
  readonly close: () => void
}

/**
 * The directory that a user named, with what `convert` wrote there; one on a server is fetched first.
 * @throws AlbertkitError as `placeOf`; of a path that does not exist it says nothing
 */
export async function fetchedDirectory(directory: string): Promise<FetchedDirectory> {
  const nothing = (): void => undefined
  if (!isHubPath(directory) && !isUrl(directory)) return { path: directory, close: nothing }
  const place = await placeOf(directory)
  const { fetch, files, path, close = nothing } = place
  if (fetch === undefined) return { path, close }
  try {
    return { path: fetch(outputFiles(files, path), path), close }
  } catch (error) {
    close()
    throw error
  }
}

/**
 * The path on this disk of a model or a vocabulary that a user named, for another process: what is on a server is
 * fetched into a cache, where it stays.
 * @throws AlbertkitError as `placeOf`, `usage` if no cache can keep it
 */
export async function fetchedPath(name: string): Promise<string> {
  const place = await placeOf(name)
  try {
    if (place.fetch === undefined) return resolve(place.path)
    return resolve(place.fetch(await modelFiles(place), place.path, 'lasting'))
  } finally {
    place.close?.()
  }
}
