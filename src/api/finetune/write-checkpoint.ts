import { buildTfConfig, passedFields } from '../../export/checkpoint/config.js'
import { writeSafetensorsModel } from '../../export/checkpoint/safetensors.js'
import { writeTfModel } from '../../export/checkpoint/tf.js'
import { buildConfigJson } from '../../export/manifest.js'
import { writeText } from '../../files/output-file.js'
import { sameShape } from '../../formats/core/source.js'
import { join } from '../../formats/core/paths.js'
import type { Parameter } from '../../model/albert.js'
import { nameSlots } from '../../model/names/write-names.js'
import type { ProblemType } from '../../model/problem-type.js'
import { transformersClassOf, type ResolvedTask } from '../../model/tasks.js'
import type { PlannedTensor } from '../../model/rewrite/translation.js'
import { writeTokenizer } from '../convert/tokenizer-files.js'
import type { OpenedModel } from '../open/open.js'
import type { PreparedModel } from './prepared-model.js'
import { ValuesSource, type HeldTensor } from './values-source.js'

/** State of the optimizer of a parameter. */
export interface OptimizerState {
  readonly parameter: Parameter
  readonly m: Float32Array
  readonly v: Float32Array
}

export interface TrainedModel {
  readonly opened: OpenedModel
  readonly prepared: PreparedModel
  readonly task: ResolvedTask
  /** transformers' `problem_type`, if the loss is not cross entropy of exclusive classes. */
  readonly problemType?: ProblemType | undefined
  /** Class names; null if there are none. */
  readonly labels: readonly string[] | null
  /** Vocabulary instead of the one next to the source. */
  readonly vocabulary?: string | undefined
  /** Optimizer state to write into a TensorFlow checkpoint, as TensorFlow does; undefined for none. */
  readonly slots?: {
    readonly suffixes: readonly [m: string, v: string]
    readonly states: readonly OptimizerState[]
    readonly globalStep: number
  }
}

/** Format that a trained model is written in: that of its family. */
export const checkpointFormat = ({ config }: Pick<OpenedModel, 'config'>): 'tf' | 'safetensors' =>
  config.family === 'hf' ? 'safetensors' : 'tf'

/** Variables by parameter: the source's own names; for transformers the names of its class with this head. */
export function variableNames({ config, identification }: OpenedModel, parameters: readonly Parameter[]) {
  const canonical =
    config.family === 'hf'
      ? nameSlots(
          identification.table,
          config,
          parameters.map(({ slot }) => slot),
        )
      : null
  return new Map(parameters.map((p) => [p, canonical?.get(p.slot)?.name ?? p.variable]))
}

/** Shape of a parameter in the source, e.g. with the axes of attention heads apart. */
function fileShape({ source }: OpenedModel, { variable, storedShape }: Parameter): readonly number[] {
  const shape = source.tensors.get(variable)?.shape
  if (shape === undefined || sameShape(shape, storedShape)) return storedShape
  return shape.reduce((a, b) => a * b, 1) === storedShape.reduce((a, b) => a * b, 1) ? shape : storedShape
}

/** Trained tensors under the names and in the shapes of the source. */
export function namedTensors(
  opened: OpenedModel,
  values: ReadonlyMap<Parameter, Float32Array>,
): (HeldTensor & { readonly parameter: Parameter; readonly data: Float32Array })[] {
  const names = variableNames(opened, [...values.keys()])
  return [...values].map(([parameter, data]) => ({
    parameter,
    name: names.get(parameter) ?? parameter.variable,
    dtype: 'F32',
    shape: fileShape(opened, parameter),
    data,
  }))
}

function planned({ name, dtype, shape }: HeldTensor, slot: string): PlannedTensor {
  const parameter: Parameter = { slot, variable: name, shape, storedShape: shape, layout: 'as_is', dtype }
  return { name, slot, logicalShape: shape, shape, transposed: false, dtype, origin: { kind: 'parameter', parameter } }
}

/** The tensors of the optimizer's state, under the names that TensorFlow gives them. */
function slotTensors({ opened, slots }: TrainedModel): HeldTensor[] {
  if (slots === undefined) return []
  const [m, v] = slots.suffixes
  const states = slots.states.flatMap(({ parameter, ...state }): HeldTensor[] => {
    const common = { dtype: 'F32', shape: fileShape(opened, parameter) } as const
    return [
      { name: `${parameter.variable}/${m}`, data: state.m, ...common },
      { name: `${parameter.variable}/${v}`, data: state.v, ...common },
    ]
  })
  const step = BigInt64Array.of(BigInt(slots.globalStep))
  return [...states, { name: 'global_step', dtype: 'I64', shape: [], data: step }]
}

function huggingFaceConfig({ opened, task, labels, problemType }: TrainedModel): string {
  const { config, rawConfig } = opened
  const { id2label: _i, label2id: _l, problem_type: _p, ...passed } = passedFields(rawConfig.fields)
  const built = buildConfigJson(config, labels, {
    architectures: [transformersClassOf(config.architecture, task)],
    passed: { ...passed, ...(problemType === undefined ? {} : { problem_type: problemType }) },
    task,
    dtype: 'float32',
  })
  // The source's own fields first: transformers reads more of them than albertkit knows.
  const { id2label: _x, label2id: _y, problem_type: _z, transformers_version: _v, ...own } = rawConfig.fields
  return `${JSON.stringify({ ...own, ...(JSON.parse(built) as object) }, null, 2)}\n`
}

/** The configuration of the source's own code, with the task of the head if that is not classification. */
function tensorFlowConfig({ opened, task, problemType }: TrainedModel): string {
  const { config, rawConfig } = opened
  const { albertkit: _own, ...own } = rawConfig.fields
  const extra = {
    ...(problemType === undefined ? {} : { problem_type: problemType }),
    ...(task === 'classify' ? {} : { albertkit: { task } }),
  }
  if (rawConfig.words !== undefined || !('hidden_size' in own))
    return buildTfConfig(config, passedFields(rawConfig.fields), task)
  return `${JSON.stringify({ ...own, ...extra }, null, 2)}\n`
}

/**
 * Writes a trained model into `directory`: weights, configuration, class names, tokenizer.
 * @returns notes for the user
 * @throws AlbertkitError `output`
 */
export async function writeTrained(trained: TrainedModel, directory: string): Promise<string[]> {
  const { opened, prepared, labels, vocabulary } = trained
  const tensors = namedTensors(opened, prepared.values)
  if (checkpointFormat(opened) === 'tf') {
    const slots = slotTensors(trained)
    const plan = [...tensors.map((one) => planned(one, one.parameter.slot)), ...slots.map((one) => planned(one, ''))]
    const source = new ValuesSource([...tensors, ...slots])
    await writeTfModel({ config: opened.config, tensors: plan }, source, directory, tensorFlowConfig(trained), {})
  } else {
    const plan = tensors.map((one) => planned(one, one.parameter.slot))
    await writeSafetensorsModel({ tensors: plan }, new ValuesSource(tensors), directory, {})
    writeText(join(directory, 'config.json'), huggingFaceConfig(trained))
  }
  if (labels !== null) writeText(join(directory, 'labels.txt'), labels.map((label) => `${label}\n`).join(''))
  return writeTokenizer(
    { files: opened.files, directory: opened.directory, vocabulary },
    directory,
    opened.config.max_position_embeddings,
  )
}
