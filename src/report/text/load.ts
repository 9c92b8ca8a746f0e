import { artefactPath, type Target } from '../../base/artefact-layout.js'
import type { ConvertReport } from '../../api/convert/report.js'
import { escapeControl } from '../../base/escape.js'
import type { ResolvedTask } from '../../model/tasks.js'

/** Code that loads what a target wrote: the library, and an expression in its language. */
interface Loading {
  readonly library: string
  readonly code: string
}

const quoted = (path: string): string => `'${escapeControl(path).replaceAll("'", String.raw`\'`)}'`

/** Expression that opens the file of each target with the library that most users have for it. */
const LOADING: Readonly<Record<Target, (path: string) => Loading>> = {
  tfjs: (path) => ({ library: 'TensorFlow.js', code: `await tf.loadGraphModel(${quoted(path)})` }),
  onnx: (path) => ({ library: 'onnxruntime', code: `await ort.InferenceSession.create(${quoted(path)})` }),
  tflite: (path) => ({ library: 'LiteRT', code: `await loadAndCompile(${quoted(path)})` }),
  safetensors: (path) => ({
    library: 'transformers',
    code: `AutoModel.from_pretrained(${quoted(path.slice(0, path.lastIndexOf('/')))})`,
  }),
  tf: (path) => ({
    library: 'TensorFlow',
    code: `tf.train.load_checkpoint(${quoted(path.replace(/\.index$/, ''))})`,
  }),
}

/** Pipelines of transformers.js that load the directory as it is (docs/precision.md). */
const PIPELINES: Readonly<Partial<Record<ResolvedTask, string>>> = {
  classify: 'text-classification',
  qa: 'question-answering',
  features: 'feature-extraction',
}

/** Lines of code that load what `convert` wrote, one a library. */
export function loadLines({ artefacts, output, task, notes }: ConvertReport): string[] {
  const found: Loading[] = []
  for (const target of new Set(artefacts.map((artefact) => artefact.target))) {
    const { dtype } = artefacts.find((artefact) => artefact.target === target)!
    found.push(LOADING[target](`${output}/${artefactPath(target, dtype)}`))
  }
  const pipeline = PIPELINES[task as ResolvedTask]
  const words = !notes.some((note) => note.startsWith('no tokenizer'))
  if (pipeline !== undefined && words && artefacts.some(({ target }) => target === 'onnx'))
    found.push({ library: 'transformers.js', code: `await pipeline('${pipeline}', ${quoted(output)})` })
  const width = Math.max(0, ...found.map(({ library }) => library.length))
  return found.map(({ library, code }, i) => `${i === 0 ? 'load it  ' : '         '}${library.padEnd(width)}  ${code}`)
}
