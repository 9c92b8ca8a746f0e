import { AlbertkitError, malformed, unsupported } from '../../base/errors.js'
import { latin1Text } from '../../base/bytes.js'
import type { FilePort } from './file-port.js'
import { withFile } from './file.js'
import { KIND_WORDS, sniff, type FileKind } from './sniff.js'

/**
 * Identifies a file that a reader could not parse, so that the message names a Git LFS pointer or an HTML page instead
 * of a damaged header.
 */

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

const endOf = (files: FilePort, path: string): string =>
  withFile(files, path, (file) => latin1Text(file.bytes(Math.max(0, file.size - TAIL), Math.min(TAIL, file.size))))

/** Name of the program that writes such model files, by the file's name; null if unknown. */
export function foreignFormatOf(path: string): string | null {
  const named = FOREIGN_ENDINGS.find(([ending]) => ending.test(path))?.[1]
  return named ?? null
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
  const program =
    foreignFormatOf(path) ?? (kind === 'pickle' && endOf(files, path).includes(PADDLE) ? 'PaddlePaddle' : null)
  if (program === null) return null
  return unsupported(`the file belongs to ${program}, which albertkit does not read`, {
    code: 'format-unsupported',
    file: path,
    hint: SAVE_AGAIN,
  })
}

/** `error`, or a better error if the file that it names is of another kind. */
export function explained(files: FilePort, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if (!(error instanceof AlbertkitError) || error.place.file === undefined) return error
  const { kind, place } = error
  if (kind !== 'malformed' && kind !== 'unsupported' && kind !== 'usage') return error
  return describeForeign(files, place.file ?? '') ?? error
}
