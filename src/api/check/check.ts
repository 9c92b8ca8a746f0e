import { requireText } from '../../base/arguments.js'
import { stoppable, type Abortable, type OnProgress, progressStep } from '../../base/abort.js'
import { GRAPH_TARGETS, layoutOf, MANIFEST_FILE, TARGET_NAMES } from '../../base/artefact-layout.js'
import { malformed, noDirectory } from '../../base/errors.js'
import type { Manifest } from '../../export/manifest.js'
import { exists, isDirectory, type FilePort } from '../../formats/core/file-port.js'
import { join } from '../../formats/core/paths.js'
import { leftOutNotes, manifestIn, statusOf } from '../open/manifest-files.js'
import { placeOf, type ModelPlace } from '../open/place.js'
import type { CheckedFile, CheckReport, UnlistedFile } from './report.js'

export interface CheckOptions extends Abortable {
  /** File access; default the disk. */
  readonly files?: FilePort
  readonly onProgress?: OnProgress
}

/** Folders that hold artefacts. */
const FOLDERS = TARGET_NAMES.map((target) => layoutOf(target).folder).filter((folder) => folder !== '')
/** Endings of files that programs load as models. */
const MODEL = /\.(onnx|onnx_data|tflite|safetensors|bin|pb|h5)$|(^|\/)model\.json$/

/** Files of the directory, and of the folders that the manifest or a target has files in. */
function filesIn(files: FilePort, directory: string, folders: readonly string[]): string[] {
  return ['', ...folders].flatMap((folder) => {
    const path = join(directory, folder)
    if (!isDirectory(files, path)) return []
    const names = files.list(path).filter((name) => files.stat(join(path, name))?.kind === 'file')
    return names.map((name) => (folder === '' ? name : `${folder}/${name}`)).sort()
  })
}

function unlistedFiles(files: FilePort, directory: string, listed: readonly string[]): UnlistedFile[] {
  const own = listed.flatMap((name) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/'))] : []))
  const folders = [...new Set([...FOLDERS, ...own])].sort()
  const known = new Set([...listed, MANIFEST_FILE])
  return filesIn(files, directory, folders)
    .filter((name) => !known.has(name))
    .map((name) => ({
      name,
      isModel: MODEL.test(name) || GRAPH_TARGETS.some((target) => name.startsWith(`${target}/`)),
    }))
}

const listedFiles = ({ artefacts, files = [] }: Manifest) => [
  ...Object.entries(artefacts).flatMap(([artefact, own]) => own.files.map((file) => ({ artefact, file }))),
  ...files.map((file) => ({ artefact: null, file })),
]

/**
 * Compares the files of a directory that `convertModel` wrote with its manifest: missing, changed and further files.
 * @throws AlbertkitError `usage` if there is no such directory, `malformed` if it has no manifest
 */
export async function checkDirectory(directory: string, asked: CheckOptions = {}): Promise<CheckReport> {
  requireText('directory', directory)
  const options = stoppable(asked)
  const { close, ...place } = await placeOf(directory, options.files)
  try {
    return await checkPlace(directory, place, options)
  } finally {
    close?.()
  }
}

async function checkPlace(
  directory: string,
  { files, path }: Pick<ModelPlace, 'files' | 'path'>,
  options: CheckOptions,
): Promise<CheckReport> {
  if (!isDirectory(files, path)) throw noDirectory(directory)
  const manifest = manifestIn(files, path)
  if (manifest === null)
    throw malformed(
      exists(files, join(path, MANIFEST_FILE))
        ? 'the manifest cannot be read: it is not one of albertkit'
        : `the directory has no ${MANIFEST_FILE}`,
      {
        code: 'manifest-invalid',
        file: exists(files, join(path, MANIFEST_FILE)) ? join(path, MANIFEST_FILE) : path,
        hint: 'give a directory that `convert` wrote',
      },
    )
  const checked: CheckedFile[] = []
  for (const { artefact, file } of listedFiles(manifest)) {
    options.onProgress?.(progressStep('reading back', file.name))
    checked.push({ name: file.name, artefact, status: await statusOf(files, path, file) })
  }
  const listed = checked.map(({ name }) => name)
  const unlisted = unlistedFiles(files, path, listed)
  const ok = checked.every(({ status }) => status === 'ok' || status === 'unhashed')
  return {
    ok: ok && unlisted.every(({ isModel }) => !isModel),
    directory,
    albertkit: manifest.albertkit,
    files: checked,
    unlisted,
    notes: [...new Set(Object.values(manifest.artefacts).flatMap(leftOutNotes))],
  }
}
