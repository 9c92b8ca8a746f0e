/**
 * Names and places of the files that `convert` writes, one row a target. The writers (`export/`) and the readers
 * (`formats/`, `api/`) share this table, so that a reader looks for what a writer wrote. It is plain data: commands read
 * it for their flags without loading any writer.
 */

/** Element types of the weights of artefacts. */
export const PRECISIONS = ['f32', 'f16', 'bf16', 'int8', 'int4', 'uint16', 'uint8'] as const
export type Precision = (typeof PRECISIONS)[number]

/** Element types by the names that Hugging Face gives them. */
export const PRECISION_ALIASES = { fp32: 'f32', fp16: 'f16', q8: 'int8', q4: 'int4' } as const

/** The element type of a name or an alias; null if there is none. */
export const precisionNamed = (name: string): Precision | null =>
  PRECISIONS.find((precision) => precision === name) ??
  (Object.hasOwn(PRECISION_ALIASES, name) ? PRECISION_ALIASES[name as keyof typeof PRECISION_ALIASES] : null)

/** The manifest of an output directory. */
export const MANIFEST_FILE = 'albertkit.json'
/** The configuration of an output directory, in the words of transformers. */
export const CONFIG_FILE = 'config.json'
/** The model card of an output directory. Users edit it: the manifest lists it without a hash. */
export const CARD_FILE = 'README.md'
/** Folder of an output directory with the page that tries its artefacts. */
export const DEMO_FOLDER = 'demo'

/**
 * Order of the elements of a weight in a file: that of the source, that of the forward pass (logical), or the latter
 * with the two axes of a matrix exchanged.
 */
export type ElementOrder = 'stored' | 'logical' | 'transposed'

interface Layout {
  /** Name of the target in texts. */
  readonly title: string
  /** Folder below the output directory; `''` is the output directory itself. */
  readonly folder: string
  /** Name of the file that is opened; for a checkpoint of several files, their index. */
  readonly file: string
  /** Precisions that can be asked for, the most exact first. A checkpoint keeps the element types of its source if none is. */
  readonly precisions: readonly Precision[]
}

/** A model that runs by itself: the forward pass is in the file. */
export interface GraphLayout extends Layout {
  readonly kind: 'graph'
  /** Order of its weights; `named`: the metadata of each file say which are transposed. */
  readonly order: 'stored' | 'logical' | 'named'
  /** Names by precision, if a folder holds files of several precisions; `file` is then that of float32. */
  readonly fileOf?: Readonly<Partial<Record<Precision, string>>>
}

/** A file of named weights, which needs code that knows the architecture. */
export interface CheckpointLayout extends Layout {
  readonly kind: 'checkpoint'
  /** Names that its configuration may have, in `folder`. */
  readonly configs: readonly string[]
}

export type ArtefactLayout = GraphLayout | CheckpointLayout

export const GRAPH_LAYOUTS = {
  tfjs: {
    kind: 'graph',
    title: 'tfjs',
    folder: 'tfjs',
    file: 'model.json',
    precisions: ['f32', 'f16', 'uint16', 'uint8'],
    order: 'logical',
  },
  // Named as Hugging Face names them.
  onnx: {
    kind: 'graph',
    title: 'ONNX',
    folder: 'onnx',
    file: 'model.onnx',
    fileOf: { f16: 'model_fp16.onnx', int8: 'model_int8.onnx', int4: 'model_q4.onnx' },
    precisions: ['f32', 'f16', 'int8', 'int4'],
    order: 'stored',
  },
  tflite: {
    kind: 'graph',
    title: 'TensorFlow Lite',
    folder: 'tflite',
    file: 'model.tflite',
    fileOf: { f16: 'model_fp16.tflite', int8: 'model_int8.tflite', int4: 'model_int4.tflite' },
    precisions: ['f32', 'f16', 'int8', 'int4'],
    order: 'named',
  },
} as const satisfies Readonly<Record<string, GraphLayout>>

export const CHECKPOINT_LAYOUTS = {
  safetensors: {
    kind: 'checkpoint',
    title: 'safetensors',
    folder: '',
    file: 'model.safetensors',
    precisions: ['f32', 'f16', 'bf16'],
    configs: [CONFIG_FILE],
  },
  tf: {
    kind: 'checkpoint',
    title: 'TensorFlow checkpoint',
    folder: 'tf',
    file: 'model.ckpt.index',
    precisions: [],
    configs: ['bert_config.json', 'albert_config.json'],
  },
} as const satisfies Readonly<Record<string, CheckpointLayout>>

export type GraphTarget = keyof typeof GRAPH_LAYOUTS
export type CheckpointTarget = keyof typeof CHECKPOINT_LAYOUTS
export type Target = GraphTarget | CheckpointTarget

export const GRAPH_TARGETS = Object.keys(GRAPH_LAYOUTS) as readonly GraphTarget[]
export const CHECKPOINT_TARGETS = Object.keys(CHECKPOINT_LAYOUTS) as readonly CheckpointTarget[]
export const TARGET_NAMES: readonly Target[] = [...GRAPH_TARGETS, ...CHECKPOINT_TARGETS]

const LAYOUTS: Readonly<Record<Target, ArtefactLayout>> = { ...GRAPH_LAYOUTS, ...CHECKPOINT_LAYOUTS }

export const layoutOf = (target: Target): ArtefactLayout => LAYOUTS[target]
export const graphLayout = (target: GraphTarget): GraphLayout => GRAPH_LAYOUTS[target]
export const checkpointLayout = (target: CheckpointTarget): CheckpointLayout => CHECKPOINT_LAYOUTS[target]

export const isGraphTarget = (name: string): name is GraphTarget => Object.hasOwn(GRAPH_LAYOUTS, name)
export const isCheckpointTarget = (name: string): name is CheckpointTarget => Object.hasOwn(CHECKPOINT_LAYOUTS, name)

/** True if a folder can hold files of several precisions. */
export const hasFilePerPrecision = (layout: ArtefactLayout): boolean =>
  layout.kind === 'graph' && layout.fileOf !== undefined

/** Name of the file that is opened, within its folder. */
export const fileName = (layout: ArtefactLayout, precision: Precision = 'f32'): string =>
  (layout.kind === 'graph' ? layout.fileOf?.[precision] : undefined) ?? layout.file

/** All names that the opened file may have, that of the most exact precision first. */
export const fileNames = (layout: ArtefactLayout): readonly string[] => [
  ...new Set([layout.file, ...layout.precisions.map((precision) => fileName(layout, precision))]),
]

/**
 * True if `path` is named like a file of a target: as `convert` names it or, if its folder may hold several, with the
 * same ending.
 */
export function isArtefactName(layout: ArtefactLayout, path: string): boolean {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
  return (
    name === layout.file ||
    (hasFilePerPrecision(layout) && name.endsWith(layout.file.slice(layout.file.lastIndexOf('.'))))
  )
}

/** True if `path` is named like a file of any graph. */
export const isGraphName = (path: string): boolean =>
  GRAPH_TARGETS.some((target) => isArtefactName(GRAPH_LAYOUTS[target], path))

/** `name` in the folder of a target, relative to the output directory, with `/`. */
export const inFolder = ({ folder }: ArtefactLayout, name: string): string =>
  folder === '' ? name : `${folder}/${name}`

/** Path of the file that is opened, relative to the output directory, with `/`. */
export const artefactPath = (target: Target, precision?: Precision): string =>
  inFolder(layoutOf(target), fileName(layoutOf(target), precision))

/** Key of an artefact in the manifest: the target, and the precision unless it is float32 or the only one. */
export const artefactKey = (target: Target, precision: Precision): string =>
  precision !== 'f32' && hasFilePerPrecision(layoutOf(target)) ? `${target}-${precision}` : target
