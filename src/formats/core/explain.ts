import { AlbertkitError, malformed, unsupported } from '../../base/errors.js'
import { latin1Text } from '../../base/bytes.js'
import { exists, type FilePort } from './file-port.js'
import { withFile } from './file.js'
import { KIND_WORDS, sniff, type FileKind } from './sniff.js'

/**
 * Identifies a file that a reader could not parse, so that the message names a Git LFS pointer or an HTML page instead
 * of a damaged header.
 */

const ORT = "onnxruntime's own format"
const OPENVINO = 'OpenVINO'

/** Model files of other programs, by the ending of their names. */
// prettier-ignore
const FOREIGN_ENDINGS: readonly (readonly [RegExp, string])[] = [
  [/\.(pdparams|pdiparams|pdmodel|pdopt)$/, 'PaddlePaddle'],
  [/\.msgpack$/, 'Flax (JAX)'],
  [/\.gguf$/, 'GGUF (llama.cpp)'],
  [/\.(mlmodel|mlpackage)$/, 'Core ML'],
  [/\.(engine|plan|trt)$/, 'TensorRT'],
  [/\.ot$/, 'rust-bert'],
  [/\.(mindir|om)$/, 'MindSpore'],
  [/\.params$/, 'MXNet (GluonNLP)'],
  [/\.ort$/, ORT],
  [/(^|[/\\])openvino_model\.(xml|bin)$/, OPENVINO],
]

/** First bytes of model files of other programs, from an offset. */
const FOREIGN_BYTES: readonly (readonly [offset: number, bytes: string, program: string])[] = [
  [0, 'GGUF', 'GGUF (llama.cpp)'],
  [0, 'lmgg', 'GGML (llama.cpp)'],
  [0, 'tjgg', 'GGML (llama.cpp)'],
  [4, 'ORTM', ORT],
]

/** Archives that are not opened: their first bytes and the end of their names. */
const ARCHIVES: readonly (readonly [bytes: string, ending: RegExp, words: string])[] = [
  ["7z\xbc\xaf'\x1c", /\.7z$/, 'a 7-Zip archive'],
  ['Rar!\x1a\x07', /\.rar$/, 'a RAR archive'],
  ['\xfd7zXZ\0', /\.t?xz$/, 'compressed with xz'],
  ['\x28\xb5\x2f\xfd', /\.zst$/, 'compressed with Zstandard'],
  ['BZh', /\.bz2$/, 'compressed with bzip2'],
]

const SAVE_AGAIN = 'load it with the code that wrote it and save the weights as safetensors or PyTorch'
const HINTS: Readonly<Partial<Record<FileKind, string>>> = {
  'lfs-pointer': 'the repository was cloned without git-lfs: run `git lfs pull` there, or download the file itself',
  html: 'download the file itself: a page of the hub is not the file (its address has /resolve/, not /blob/)',
  png: 'this is another file: give the model',
}

/** Key under which a pickle of PaddlePaddle keeps the structured names of its parameters. */
const PADDLE = 'StructuredToParameterName@@'
const TAIL = 64 * 1024
const HEAD = 256

const endOf = (files: FilePort, path: string): string =>
  withFile(files, path, (file) => latin1Text(file.bytes(Math.max(0, file.size - TAIL), Math.min(TAIL, file.size))))

const headOf = (files: FilePort, path: string): string =>
  withFile(files, path, (file) => latin1Text(file.bytes(0, Math.min(HEAD, file.size))))

const nameOf = (path: string): string | null => FOREIGN_ENDINGS.find(([ending]) => ending.test(path))?.[1] ?? null

/** True if the name is that of a model file of another program, or of an archive that is not opened. */
export const isForeignName = (path: string): boolean =>
  nameOf(path) !== null || ARCHIVES.some(([, ending]) => ending.test(path))

/** Program that wrote a file, by its contents, or those of the `.xml` that OpenVINO writes beside its weights. */
function programOf(files: FilePort, path: string, kind: FileKind): string | null {
  const head = headOf(files, path)
  const known = FOREIGN_BYTES.find(([offset, bytes]) => head.startsWith(bytes, offset))?.[2]
  if (known !== undefined) return known
  if (kind === 'pickle' && endOf(files, path).includes(PADDLE)) return 'PaddlePaddle'
  const graph = path.replace(/\.bin$/, '.xml')
  const isOpenVino = (text: string): boolean => /^<\?xml[^>]*>\s*<net\s/.test(text)
  return isOpenVino(head) || (graph !== path && exists(files, graph) && isOpenVino(headOf(files, graph)))
    ? OPENVINO
    : null
}

/** Error that names the real kind of a file; null if the file is not recognised as something else. */
export function describeForeign(files: FilePort, path: string): AlbertkitError | null {
  let kind: FileKind
  try {
    kind = sniff(files, path)
  } catch {
    return null
  }
  const hint = HINTS[kind]
  if (hint !== undefined) return malformed(`the file is ${KIND_WORDS[kind]}`, { code: 'not-a-model', file: path, hint })
  const head = headOf(files, path)
  const archive = ARCHIVES.find(([bytes]) => head.startsWith(bytes))
  if (archive !== undefined)
    return unsupported(`the file is ${archive[2]}, which albertkit does not unpack`, {
      code: 'format-unsupported',
      file: path,
      hint: 'unpack it and give the folder',
    })
  const program = nameOf(path) ?? programOf(files, path, kind)
  if (program === null) return null
  return unsupported(`the file belongs to ${program}, which albertkit does not read`, {
    code: 'format-unsupported',
    file: path,
    hint: SAVE_AGAIN,
  })
}

/** Refuses a file that is recognised as something else. @throws AlbertkitError as `describeForeign` gives it */
export function refuseForeign(files: FilePort, path: string): void {
  const foreign = describeForeign(files, path)
  if (foreign !== null) throw foreign
}

/** `error`, or a better error if the file that it names is of another kind. */
export function explained(files: FilePort, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if (!(error instanceof AlbertkitError) || error.place.file === undefined) return error
  const { kind, place } = error
  if (kind !== 'malformed' && kind !== 'unsupported' && kind !== 'usage') return error
  return describeForeign(files, place.file ?? '') ?? error
}
