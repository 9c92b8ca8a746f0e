import { unsupported } from '../../base/errors.js'
import { elementCount } from '../../formats/core/source.js'
import type { AlbertModel, ClassifierHead, Dense, OutputHead, Parameter } from '../../model/albert.js'
import { INITIALIZER_RANGE } from '../../model/random/init.js'
import { truncatedNormal } from '../../model/random/random.js'
import { nameSlots } from '../../model/names/write-names.js'
import { parametersOf, readStored } from '../../model/tensors/read.js'
import { classifierKindOf, hasTransformersPooler, taskRow, type ResolvedTask } from '../../model/tasks.js'
import type { OpenedModel } from '../open/open.js'

/** A model ready for training: its tree with one head, and all weights in memory. */
export interface PreparedModel {
  readonly model: AlbertModel
  /** Weights in their stored order, as float32. */
  readonly values: Map<Parameter, Float32Array>
  /** Parameters that the source lacks, initialised at random. */
  readonly created: readonly Parameter[]
  /** Reasons for what was created or left out, for the user. */
  readonly notes: readonly string[]
}

/** Makes parameters that the source lacks, in its own names. */
class Maker {
  readonly created: Parameter[] = []

  constructor(readonly opened: OpenedModel) {}

  parameter(slot: string, shape: readonly number[]): Parameter {
    const { identification, config } = this.opened
    const named = nameSlots(identification.table, config, [slot]).get(slot)
    if (named == null)
      throw unsupported(`${identification.table.title} has no name for ${slot}, which training needs`, {
        code: 'translation-impossible',
        hint: 'convert the model with `targets` safetensors or tf, and train the result',
      })
    const { layout } = named.row
    const storedShape = layout === 'transposed' ? [...shape].reverse() : shape
    const made: Parameter = { slot, variable: named.name, shape, storedShape, layout, dtype: 'F32' }
    this.created.push(made)
    return made
  }

  head(slot: string, classes: number): OutputHead {
    const { hidden_size } = this.opened.config
    return {
      weight: this.parameter(`${slot}/output_weights`, [classes, hidden_size]),
      bias: this.parameter(`${slot}/output_bias`, [classes]),
    }
  }

  pooler(): Dense {
    const { hidden_size } = this.opened.config
    return {
      kernel: this.parameter('pooler/dense/kernel', [hidden_size, hidden_size]),
      bias: this.parameter('pooler/dense/bias', [hidden_size]),
    }
  }
}

/** The classifier of the source if it fits, or null. */
function fittingClassifier({ model }: OpenedModel, task: ResolvedTask, classes: number | null): ClassifierHead | null {
  const { classifier } = model
  if (classifier === null || classifier.kind !== classifierKindOf(task)) return null
  return classes === null || classifier.weight.shape[0] === classes ? classifier : null
}

/** Initial values as BERT's code has them: truncated normal matrices, zero biases. */
function initialValues({ slot, variable, storedShape }: Parameter, seed: number, deviation: number): Float32Array {
  const values = new Float32Array(elementCount(storedShape))
  if (!slot.endsWith('bias')) truncatedNormal(seed, variable, deviation)(0, values)
  return values
}

export interface PrepareOptions {
  readonly task: ResolvedTask
  /** Classes of the head; null to keep those of the source. */
  readonly classes: number | null
  readonly seed: number
  /** Make a new head even if the source has one that fits. */
  readonly newHead?: boolean
}

/** Standard deviation that the configuration gives for initial weights. */
function deviationOf({ rawConfig }: OpenedModel): number {
  const given = rawConfig.fields.initializer_range
  return typeof given === 'number' && given > 0 ? given : INITIALIZER_RANGE
}

/** The tree with the head of a task, its own or a new one, and no other head. */
function withHead(opened: OpenedModel, maker: Maker, options: PrepareOptions): { model: AlbertModel; notes: string[] } {
  const { model } = opened
  const { task, classes, newHead = false } = options
  const notes: string[] = []
  const bare: AlbertModel = { ...model, mlm: null, sop: null, classifier: null, qa: null }
  const needsPooler = taskRow(task).heads.length > 0 && hasTransformersPooler(task)
  if (task === 'qa') {
    const own = newHead ? null : model.qa
    return { model: { ...bare, qa: own ?? maker.head('qa', 2) }, notes }
  }
  const own = newHead ? null : fittingClassifier(opened, task, classes)
  const found = model.classifier?.weight.shape[0]
  if (own === null && model.classifier !== null)
    notes.push(`the classifier of the source (${found ?? 0} classes) is replaced by a new one`)
  const pooler = needsPooler && model.pooler === null && own?.pooler == null ? maker.pooler() : model.pooler
  const kind = classifierKindOf(task) ?? 'sequence'
  const norm = model.classifier?.norm ?? null
  const classifier = own ?? { kind, ...maker.head('classifier', classes ?? 2), norm, pooler: null }
  return { model: { ...bare, pooler, classifier }, notes }
}

/** Prepares a model for a task. @throws AlbertkitError `unsupported` if its names have no place for the head */
export function prepareModel(opened: OpenedModel, options: PrepareOptions): PreparedModel {
  const maker = new Maker(opened)
  const { model, notes } = withHead(opened, maker, options)
  const deviation = deviationOf(opened)
  const isNew = new Set(maker.created)
  const values = new Map<Parameter, Float32Array>()
  for (const parameter of parametersOf(model)) {
    if (isNew.has(parameter)) {
      values.set(parameter, initialValues(parameter, options.seed, deviation))
      continue
    }
    const stored = new Float32Array(elementCount(parameter.storedShape))
    readStored(opened.source, parameter, 0, stored)
    values.set(parameter, stored)
  }
  return { model, values, created: maker.created, notes }
}
