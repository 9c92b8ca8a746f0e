import { latin1Text } from '../../base/bytes.js'
import { AlbertkitError, malformed } from '../../base/errors.js'
import { makeFolders, writeBytes, writeText } from '../../files/output-file.js'
import { confined } from '../../formats/core/confined.js'
import { exists, type FilePort } from '../../formats/core/file-port.js'
import { LFS_POINTER, readBytes } from '../../formats/core/file.js'
import { dirname, join } from '../../formats/core/paths.js'
import { MODULES_FILE, readModuleList, type ModuleList } from '../open/module-list.js'
import { MODULE_FILES } from '../inference/sentence/read-modules.js'
import { SENTENCE_CONFIG, TRANSFORMER_CONFIGS } from '../inference/sentence/read-vectors.js'

/** Pairs of a file to write, relative to the output directory, and the file that it is a copy of. */
function copiesOf(files: FilePort, { directory, modules }: ModuleList): [to: string, from: string][] {
  const [transformer, ...later] = modules
  const settings = TRANSFORMER_CONFIGS.map((name): [string, string] => [
    name,
    join(directory, transformer?.path ?? '', name),
  ])
  const own = later.flatMap(({ path }) =>
    path === '' ? [] : MODULE_FILES.map((name): [string, string] => [join(path, name), join(directory, path, name)]),
  )
  const all: [string, string][] = [[SENTENCE_CONFIG, join(directory, SENTENCE_CONFIG)], ...settings, ...own]
  return all.filter(([, from]) => exists(files, from))
}

/** @throws AlbertkitError `malformed` for a file that only points to another */
function refusePointer(bytes: Uint8Array, file: string): void {
  if (latin1Text(bytes.subarray(0, LFS_POINTER.length)) !== LFS_POINTER) return
  throw malformed('the file is a Git LFS pointer, not the file itself', {
    code: 'not-a-model',
    file,
    hint: 'fetch the files with `git lfs pull`',
  })
}

/**
 * Copies the modules of a sentence-transformers folder, so that vectors are made of an artefact as they are of the
 * source. The transformer is in the output directory itself.
 * @returns notes for the user
 */
export function writeSentenceModules(
  { files, directory }: { readonly files: FilePort; readonly directory: string },
  staging: string,
): string[] {
  let list: ModuleList | null
  try {
    list = readModuleList(files, directory)
  } catch (error) {
    // The note on the model reports errors in the list.
    if (!(error instanceof AlbertkitError)) throw error
    return []
  }
  if (list === null) return []
  // The list may be in the folder above that of the model.
  const own = confined(files, [list.directory])
  const copies = copiesOf(files, list)
  for (const [to, from] of copies) {
    const path = join(staging, to)
    makeFolders(dirname(path))
    const bytes = readBytes(own, from)
    refusePointer(bytes, from)
    writeBytes(path, bytes)
  }
  const moved = list.modules.map(({ type, path }, i) => ({
    idx: i,
    name: String(i),
    path: i === 0 ? '' : path,
    type,
  }))
  writeText(join(staging, MODULES_FILE), `${JSON.stringify(moved, null, 2)}\n`)
  return [
    `the modules of sentence-transformers are not part of the model files: ${MODULES_FILE} and ` +
      `${copies.length} files of theirs are copied beside them`,
  ]
}
