import { DEMO_FOLDER, layoutOf, MANIFEST_FILE, TARGET_NAMES } from '../../base/artefact-layout.js'
import { malformed, type AlbertkitError } from '../../base/errors.js'
import { parseManifest, type HashedFile, type Manifest, type ManifestArtefact } from '../../export/manifest.js'
import { hashInTurns } from '../../files/hash-file.js'
import { exists, type FilePort } from '../../formats/core/file-port.js'
import { readText } from '../../formats/core/file.js'
import { dirname, join } from '../../formats/core/paths.js'

/** Files of an output directory against its manifest, which has the size and the SHA-256 of each. */

/** `unhashed`: the manifest has no hash of the file. */
export type FileStatus = 'ok' | 'missing' | 'size' | 'sha256' | 'unhashed'

/** Compares a file with its entry in the manifest. @throws AlbertkitError if it cannot be read */
export async function statusOf(
  files: FilePort,
  directory: string,
  { name, bytes, sha256 }: HashedFile,
): Promise<FileStatus> {
  const path = join(directory, name)
  const stat = files.stat(path)
  if (stat?.kind !== 'file') return 'missing'
  if (bytes === undefined || sha256 === undefined) return 'unhashed'
  if (stat.size !== bytes) return 'size'
  return (await hashInTurns(files, path)).sha256 === sha256 ? 'ok' : 'sha256'
}

/** The manifest of an output directory; null if it is absent or invalid. */
export function manifestIn(files: FilePort, directory: string): Manifest | null {
  const file = join(directory, MANIFEST_FILE)
  return exists(files, file) ? parseManifest(readText(files, file)) : null
}

export const STATUS_WORDS: Readonly<Record<Exclude<FileStatus, 'ok' | 'unhashed'>, string>> = {
  missing: 'it is missing',
  size: 'its size is another',
  sha256: 'its SHA-256 is another',
}

/** Output directory that a file of an artefact may be in: its folder, or the one above. */
const homesOf = (path: string): string[] => [dirname(path), dirname(dirname(path))]

interface ListedArtefact {
  readonly directory: string
  readonly artefact: ManifestArtefact
  readonly manifest: Manifest
}

/** Files of the artefact that `path` belongs to, as a manifest lists them; null if none does. */
function artefactOf(files: FilePort, path: string): ListedArtefact | null {
  for (const directory of homesOf(path)) {
    const manifest = manifestIn(files, directory)
    const own = Object.values(manifest?.artefacts ?? {}).find((artefact) =>
      artefact.files.some(({ name }) => join(directory, name) === join(path)),
    )
    if (manifest !== null && own !== undefined) return { directory, artefact: own, manifest }
  }
  return null
}

/**
 * Error of an artefact whose files are not those that `convert` wrote; null if they are, or no manifest lists them.
 * @param paths files of the artefact, or some of them
 */
export async function refuseChanged(files: FilePort, paths: readonly string[]): Promise<AlbertkitError | null> {
  const checked = new Set<string>()
  for (const path of paths) {
    const artefact = checked.has(join(path)) ? null : artefactOf(files, path)
    for (const file of artefact?.artefact.files ?? []) {
      const own = join(artefact!.directory, file.name)
      checked.add(own)
      const status = await statusOf(files, artefact!.directory, file)
      if (status === 'ok' || status === 'unhashed') continue
      return malformed(`${file.name} is not the file that was converted: ${STATUS_WORDS[status]} in ${MANIFEST_FILE}`, {
        code: 'manifest-invalid',
        file: own,
        hint: 'convert the model again; `checksum: false` reads the file as it is',
      })
    }
  }
  return null
}

/** Folder of a name in the manifest; `''` is the output directory itself. */
const folderOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')))

/** Folders of targets; files in one belong to the artefact there. */
const TARGET_FOLDERS: readonly string[] = TARGET_NAMES.map((target) => layoutOf(target).folder)

const CONVERTED = 'when the model was converted: '

/** Notes on what a conversion left out of its source, as its manifest records them. */
export function leftOutNotes({ source }: Partial<Pick<ManifestArtefact, 'source'>>): string[] {
  const { read, leftOut = [] } = source ?? {}
  const asked = (read?.ignore ?? []).map((pattern) => `"${pattern}"`)
  const notes = [...(asked.length === 0 ? [] : [`ignored, as asked: ${asked.join(', ')}`]), ...leftOut]
  return notes.map((note) => (note.startsWith(CONVERTED) ? note : `${CONVERTED}${note}`))
}

/** Files next to an artefact, e.g. its configuration, that differ from those that `convert` wrote. */
async function editedNotes(files: FilePort, { directory, artefact, manifest }: ListedArtefact): Promise<string[]> {
  const own = artefact.files.map(({ name }) => folderOf(name))
  const beside = (manifest.files ?? []).filter(({ name }) => {
    const folder = folderOf(name)
    // The page beside a model is nothing of it.
    if (name.startsWith(`${DEMO_FOLDER}/`)) return false
    return folder === '' || own.includes(folder) || !TARGET_FOLDERS.includes(folder)
  })
  const edited: HashedFile[] = []
  for (const file of beside) if (!['ok', 'unhashed'].includes(await statusOf(files, directory, file))) edited.push(file)
  if (edited.length === 0) return []
  const names = edited.map(({ name }) => name).join(', ')
  return [`not as they were when the model was converted (${MANIFEST_FILE}): ${names}`]
}

/**
 * Notes on an artefact from its manifest: files next to it that a user may have edited, and what the conversion left
 * out. Empty if no manifest lists it.
 * @param path a file of the artefact
 */
export async function artefactNotes(files: FilePort, path: string): Promise<string[]> {
  const listed = artefactOf(files, path)
  return listed === null ? [] : [...(await editedNotes(files, listed)), ...leftOutNotes(listed.artefact)]
}
