import { utf8Bytes } from '../../base/bytes.js'
import type { ZipFile } from '../../formats/zip/write.js'
import { Builder, tfliteMetadata as meta } from '../../proto/tflite.js'
import type { PackedFiles } from '../options.js'
import type { TfliteGraph } from './graph.js'
import { FC_VERSION } from './graph.js'
import { Op, type Node } from './nodes.js'

/** Metadata of TensorFlow Lite: descriptions of a file's tensors, and its labels and vocabulary, for other programs. */

/** Name of the metadata's buffer. */
export const MODEL_METADATA = 'TFLITE_METADATA'
/** Name of the buffer with the least version of the runtime. */
export const RUNTIME_VERSION = 'min_runtime_version'
/** Bytes of that text, filled up with zeros. */
const RUNTIME_VERSION_BYTES = 16

export const NOTHING_PACKED: PackedFiles = { labels: null, vocabulary: null }

const LABELS_FILE = 'labels.txt'
/** Versions of the metadata that first had vocabularies, and tokenizers. */
const PARSER = { plain: '1.0.0', tokenizer: '1.1.0' } as const

/** Names of the inputs in programs that tokenize by the metadata, and their descriptions. */
const INPUTS: Readonly<Record<string, readonly [name: string, description: string]>> = {
  input_ids: ['ids', 'input_ids: numbers of the tokens, 0 for padding'],
  attention_mask: ['mask', 'attention_mask: 1 for a token, 0 for padding'],
  token_type_ids: ['segment_ids', 'token_type_ids: 0 for the first text, 1 for the second'],
}

/** Descriptions of the outputs. */
const OUTPUTS: Readonly<Record<string, string>> = {
  last_hidden_state: 'a vector for each token',
  pooler_output: 'a vector for the whole input',
  logits: 'a score for each class, before any softmax',
  prediction_logits: 'a score for each token of the vocabulary at each place',
  sop_logits: 'two scores: the texts are in order, or not',
  start_logits: 'a score for each token as the first one of the answer',
  end_logits: 'a score for each token as the last one of the answer',
}

/** First releases of TensorFlow whose runtime has an operator of a version; all others are older. */
const RELEASES: readonly (readonly [has: (node: Node) => boolean, release: string])[] = [
  [({ op, version }) => op === Op.FULLY_CONNECTED && version === FC_VERSION.channels, '2.17.0'],
  [({ op }) => op === Op.GELU, '2.9.0'],
]
/** First release that reads weights behind the flat buffer, and first that has every other operator. */
const [OFFSETS, OLDEST] = ['2.14.0', '2.3.0'] as const

/** Least release of TensorFlow whose runtime takes the file, as a text of fixed length. */
export function runtimeVersion({ nodes }: Pick<TfliteGraph, 'nodes'>, inline: boolean): Uint8Array {
  const needed = RELEASES.filter(([has]) => nodes.some(has)).map(([, release]) => release)
  const minor = (release: string): number => Number(release.split('.')[1])
  const [newest = OLDEST] = [OLDEST, ...(inline ? [] : [OFFSETS]), ...needed].sort((a, b) => minor(b) - minor(a))
  const bytes = new Uint8Array(RUNTIME_VERSION_BYTES)
  bytes.set(utf8Bytes(newest))
  return bytes
}

/** A label as a line. */
const lineOf = (label: string): string => `${label.replaceAll(/[\r\n]+/g, ' ')}\n`

const file = (name: string, description: string, type: meta.AssociatedFileType): meta.AssociatedFileT =>
  new meta.AssociatedFileT(name, description, type)

/** A tensor of numbers. */
const tensor = (name: string, description: string, files: meta.AssociatedFileT[] = []): meta.TensorMetadataT =>
  new meta.TensorMetadataT(
    name,
    description,
    new meta.ContentT(meta.ContentProperties.FeatureProperties, new meta.FeaturePropertiesT()),
    [],
    files,
  )

/** The tokenizer as a step that comes before the graph; none if the format has no such step. */
function processUnits(vocabulary: PackedFiles['vocabulary']): meta.ProcessUnitT[] {
  const { BertTokenizerOptions, SentencePieceTokenizerOptions } = meta.ProcessUnitOptions
  const { UNKNOWN, VOCABULARY } = meta.AssociatedFileType
  switch (vocabulary?.kind) {
    case 'wordpiece': {
      const listed = file(vocabulary.name, 'tokens, one a line, by their numbers', VOCABULARY)
      return [new meta.ProcessUnitT(BertTokenizerOptions, new meta.BertTokenizerOptionsT([listed]))]
    }
    case 'sentencepiece': {
      const listed = file(vocabulary.name, 'model of SentencePiece', UNKNOWN)
      const options = new meta.SentencePieceTokenizerOptionsT([listed], [])
      return [new meta.ProcessUnitT(SentencePieceTokenizerOptions, options)]
    }
    default:
      return []
  }
}

/** Describes a graph. @returns the flat buffer, and the files that it names */
export function modelMetadata(
  { inputs, outputs }: Pick<TfliteGraph, 'inputs' | 'outputs'>,
  { description, task }: { readonly description: string; readonly task: string },
  { labels, vocabulary }: PackedFiles,
): { readonly bytes: Uint8Array; readonly files: readonly ZipFile[] } {
  const { TENSOR_AXIS_LABELS, UNKNOWN } = meta.AssociatedFileType
  const hasClasses = labels !== null && outputs.some(({ name }) => name === 'logits')
  const axis = hasClasses ? [file(LABELS_FILE, 'names of the classes, one a line', TENSOR_AXIS_LABELS)] : []
  const units = processUnits(vocabulary)
  const other = vocabulary?.kind === 'other' ? [file(vocabulary.name, 'tokenizer of Hugging Face', UNKNOWN)] : []
  const graph = new meta.SubGraphMetadataT(
    'main',
    null,
    inputs.map(({ name }) => tensor(...(INPUTS[name] ?? [name, name]))),
    outputs.map(({ name }) => tensor(name, OUTPUTS[name] ?? name, name === 'logits' ? axis : [])),
    other,
    units,
  )
  const parser = units.length > 0 ? PARSER.tokenizer : PARSER.plain
  const builder = new Builder(1024)
  const made = new meta.ModelMetadataT(task, description, null, [graph], null, null, [], parser)
  meta.ModelMetadata.finishModelMetadataBuffer(builder, made.pack(builder))
  return {
    bytes: builder.asUint8Array().slice(),
    files: [
      ...(hasClasses ? [{ name: LABELS_FILE, bytes: utf8Bytes(labels.map(lineOf).join('')) }] : []),
      ...(vocabulary === null ? [] : [{ name: vocabulary.name, bytes: vocabulary.bytes }]),
    ],
  }
}
