/**
 * Heads and tasks, one row each. Command line flags, artefacts, class names of transformers, comparisons and text
 * commands read these tables: a new head is a row here and its maths in forward.ts.
 */

/** Unit that a classifier labels, with logits `[B, N]`, `[B, S, N]` and, for one of several choices, `[B, choices]`. */
export type ClassifierKind = 'sequence' | 'token' | 'choice'

/** Heads to run; a head that the model lacks is never run. */
export interface HeadSelection {
  readonly mlm: boolean
  readonly sop: boolean
  readonly classifier: boolean
  readonly qa: boolean
}

/** Outputs that need no head: those of the encoder and of its pooler. */
export const ENCODER_OUTPUTS = ['last_hidden_state', 'pooler_output'] as const

export interface HeadRow {
  /** Field of `AlbertModel`, switch of `HeadSelection`, and first part of the head's slot names. */
  readonly part: keyof HeadSelection
  /** Kind of classifier; null for a head that is not a classifier. */
  readonly kind: ClassifierKind | null
  /** `sequence`: reads the pooled `[B, H]`; `token`: reads every token of `[B, S, H]`. */
  readonly reads: 'sequence' | 'token'
  /** Rows of the output weight: one a token of the vocabulary, one a label, or a fixed number. */
  readonly classes: 'vocabulary' | 'labels' | number
  /** Outputs in the order of an artefact. */
  readonly outputs: readonly string[]
}

/** Heads in the order of their outputs. */
export const HEADS = {
  mlm: { part: 'mlm', kind: null, reads: 'token', classes: 'vocabulary', outputs: ['prediction_logits'] },
  sop: { part: 'sop', kind: null, reads: 'sequence', classes: 2, outputs: ['sop_logits'] },
  classifier: { part: 'classifier', kind: 'sequence', reads: 'sequence', classes: 'labels', outputs: ['logits'] },
  'token-classifier': { part: 'classifier', kind: 'token', reads: 'token', classes: 'labels', outputs: ['logits'] },
  'multiple-choice': { part: 'classifier', kind: 'choice', reads: 'sequence', classes: 1, outputs: ['logits'] },
  qa: { part: 'qa', kind: null, reads: 'token', classes: 2, outputs: ['start_logits', 'end_logits'] },
} as const satisfies Readonly<Record<string, HeadRow>>

export type HeadName = keyof typeof HEADS
/** Name of an output of an artefact, except `embedding_output` and `hidden_state_<i>`. */
export type OutputName = (typeof ENCODER_OUTPUTS)[number] | (typeof HEADS)[HeadName]['outputs'][number]
export const HEAD_NAMES = Object.keys(HEADS) as readonly HeadName[]

/**
 * Decoding of a task's outputs into an answer. `vector`: the values themselves. `softmax`: probabilities of mutually
 * exclusive classes. `sigmoid`: an independent probability for each class. `value`: a score. `tags`: a class for each
 * token. `spans`: the best pairs of a start and an end.
 */
export type OutputReading = 'vector' | 'softmax' | 'sigmoid' | 'value' | 'tags' | 'spans'

export interface TaskRow {
  /** Heads that the task runs, as far as the model has them; it needs one of them. */
  readonly heads: readonly HeadName[]
  /** Axes of the inputs: `[batch, sequence]`, or `[batch, choices, sequence]`. */
  readonly inputs: 'sequences' | 'choices'
  /** Reading of the heads' outputs. */
  readonly reading: OutputReading
  /** Rank among the tasks that `auto` tries; null if `auto` never resolves to it. */
  readonly auto: number | null
  /** Class of transformers without its prefix `Albert` or `Bert`. */
  readonly transformersClass: string
  /** The class of BERT, if it is another one. */
  readonly bertClass?: string
}

/** Uses of a model. The order is that of `--help`. */
export const TASKS = {
  features: { heads: [], inputs: 'sequences', reading: 'vector', auto: 4, transformersClass: 'Model' },
  pretraining: {
    heads: ['mlm', 'sop'],
    inputs: 'sequences',
    reading: 'softmax',
    auto: 3,
    transformersClass: 'ForPreTraining',
  },
  mlm: { heads: ['mlm'], inputs: 'sequences', reading: 'softmax', auto: null, transformersClass: 'ForMaskedLM' },
  sop: {
    heads: ['sop'],
    inputs: 'sequences',
    reading: 'softmax',
    auto: null,
    // transformers' ALBERT has no class for sentence order alone.
    transformersClass: 'ForPreTraining',
    bertClass: 'ForNextSentencePrediction',
  },
  classify: {
    heads: ['classifier'],
    inputs: 'sequences',
    reading: 'softmax',
    auto: 1,
    transformersClass: 'ForSequenceClassification',
  },
  'token-classification': {
    heads: ['token-classifier'],
    inputs: 'sequences',
    reading: 'tags',
    auto: 1,
    transformersClass: 'ForTokenClassification',
  },
  'multiple-choice': {
    heads: ['multiple-choice'],
    inputs: 'choices',
    reading: 'softmax',
    auto: 1,
    transformersClass: 'ForMultipleChoice',
  },
  qa: { heads: ['qa'], inputs: 'sequences', reading: 'spans', auto: 2, transformersClass: 'ForQuestionAnswering' },
} as const satisfies Readonly<Record<string, TaskRow>>

export type ResolvedTask = keyof typeof TASKS
/** A task, or `auto`: the task of the head that the model has. */
export type Task = ResolvedTask | 'auto'
export const TASK_NAMES = Object.keys(TASKS) as readonly ResolvedTask[]

export const taskRow = (task: ResolvedTask): TaskRow => TASKS[task]
export const headRow = (head: HeadName): HeadRow => HEADS[head]

/** Switches with those of `heads` on. */
export function selectHeads(heads: readonly HeadName[]): HeadSelection {
  const on = (part: keyof HeadSelection): boolean => heads.some((head) => HEADS[head].part === part)
  return { mlm: on('mlm'), sop: on('sop'), classifier: on('classifier'), qa: on('qa') }
}

/** Every head that a model has: the reference compares all of them with a golden. */
export const ALL_HEADS: HeadSelection = selectHeads(HEAD_NAMES)

/** Switches of the heads that a task runs. */
export const headsFor = (task: ResolvedTask): HeadSelection => selectHeads(TASKS[task].heads)

/** Head of a kind of classifier. */
export const classifierHead = (kind: ClassifierKind): HeadName => HEAD_NAMES.find((head) => HEADS[head].kind === kind)!

/** Kind of classifier that a task runs; undefined if it runs none. The weights alone do not determine it. */
export function classifierKindOf(task: Task | undefined): ClassifierKind | undefined {
  if (task === undefined || task === 'auto') return undefined
  return TASKS[task].heads.map((head) => HEADS[head].kind).find((kind) => kind !== null)
}

/** Tasks of the classifiers. */
export const CLASSIFIER_TASKS = TASK_NAMES.filter((task) => classifierKindOf(task) !== undefined)

/** Outputs of the heads, each name once, in the order of an artefact. */
export const HEAD_OUTPUTS: readonly OutputName[] = [...new Set(HEAD_NAMES.flatMap((head) => HEADS[head].outputs))]

/** True if `task` gives each sequence one label of those that exclude each other: its accuracy can be counted. */
export const isTextClassifier = (task: ResolvedTask): boolean =>
  classifierKindOf(task) === 'sequence' && TASKS[task].reading === 'softmax'

/** Output that holds the answer of `task`: the first of its first head. */
export const answerOf = (task: ResolvedTask): OutputName =>
  TASKS[task].heads.flatMap((head): readonly OutputName[] => HEADS[head].outputs)[0] ?? 'last_hidden_state'

/** Class of transformers for a task, e.g. `AlbertForMaskedLM`. */
export function transformersClassOf(architecture: 'albert' | 'bert', task: ResolvedTask): string {
  const { transformersClass, bertClass = transformersClass } = taskRow(task)
  return architecture === 'bert' ? `Bert${bertClass}` : `Albert${transformersClass}`
}

/**
 * True if transformers' class of the task has a pooler: for features, and for heads that read the pooled sequence
 * (modeling_albert.py and modeling_bert.py, `add_pooling_layer`).
 */
export const hasTransformersPooler = (task: ResolvedTask): boolean => {
  const { heads } = taskRow(task)
  return heads.length === 0 || heads.some((head) => HEADS[head].reads === 'sequence')
}
