import { statSync } from 'node:fs'
import { keepSources } from '../../base/sources.js'
import { join } from 'node:path'
import { requireText } from '../../base/arguments.js'
import { usage } from '../../base/errors.js'
import { OutputDirectory, refuseTaken } from '../../files/output-directory.js'
import { OutputFile, writeBytes, writeText } from '../../files/output-file.js'
import { writeSafetensors } from '../../formats/safetensors/write.js'
import { headsFor } from '../../model/tasks.js'
import { DROPOUT_LEVELS, NO_DROPOUT } from '../../training/dropout-sites.js'
import { buildGradients, buildLogits } from '../../training/graphs.js'
import { DEFAULT_SETTINGS } from '../../training/optimizer.js'
import { familyRules } from '../../training/rules.js'
import { readLabels } from '../labels.js'
import { openModel, type OpenModelOptions } from '../open/open.js'
import { graphReadme } from './graph-readme.js'
import { prepareModel, type PreparedModel } from './prepared-model.js'
import { dropoutOf } from './train-setup.js'
import { trainTaskRow, type TrainTask } from './train-tasks.js'

export interface ExportGraphOptions extends Omit<OpenModelOptions, 'task'> {
  /** Default `classify`. */
  readonly task?: TrainTask
  /** Class names; default the model's own. */
  readonly labels?: readonly string[]
  /** Probability of dropout; default 0: the graph then takes no masks. */
  readonly dropout?: number
  readonly seed?: number
  readonly force?: boolean
}

export interface ExportGraphReport {
  readonly ok: true
  readonly model: string
  readonly family: string
  readonly task: TrainTask
  readonly classes: number
  readonly output: string
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  readonly notes: readonly string[]
}

/** Files of an exported graph. */
export const GRAPH_FILES = ['gradients.onnx', 'logits.onnx', 'weights.safetensors', 'graph.json', 'README.md'] as const

function writeWeights(file: string, { values }: PreparedModel): void {
  const tensors = [...values].map(([{ slot, storedShape }, data]) => ({
    name: slot,
    dtype: 'F32' as const,
    shape: storedShape,
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }))
  const data = new Map(tensors.map((tensor) => [tensor.name, tensor.data]))
  const out = new OutputFile(file)
  try {
    writeSafetensors(
      (bytes) => {
        out.write(bytes)
      },
      tensors,
      ({ name }, put) => {
        put(data.get(name)!)
      },
    )
  } finally {
    out.close()
  }
}

/**
 * Writes the graphs of a training run with its weights and a page of documentation, for training where onnxruntime
 * runs: in a browser, for instance.
 * @throws AlbertkitError
 */
export function exportTrainingGraph(
  path: string,
  output: string,
  options: ExportGraphOptions = {},
): Promise<ExportGraphReport> {
  return keepSources(() => exportGraph(path, output, options))
}

async function exportGraph(path: string, output: string, options: ExportGraphOptions): Promise<ExportGraphReport> {
  requireText('path', path)
  const { task = 'classify', seed = 0, force = false, labels: given, dropout, ...reading } = options
  refuseTaken(output, force)
  const opened = await openModel(path, reading)
  const directory = new OutputDirectory(output, { force })
  try {
    const row = trainTaskRow(task)
    const labels = given ?? readLabels(opened)
    const fixed = { regression: 1, qa: 2 } as const
    const classes =
      task === 'regression' || task === 'qa'
        ? fixed[task]
        : (labels?.length ?? opened.model.classifier?.weight.shape[0])
    if (classes === undefined)
      throw usage('the model has no classes, and no `labels` are given', { code: 'labels-mismatch', file: path })
    const prepared = prepareModel(opened, { task: row.task, classes, seed })
    const heads = headsFor(row.task)
    const rates = dropout === undefined ? NO_DROPOUT : dropoutOf(opened, dropout)
    const gradients = buildGradients(prepared.model, { heads, loss: row.loss, dropout: rates })
    const logits = buildLogits(prepared.model, heads)
    const rules = familyRules(opened.config.family)
    const description = {
      task,
      loss: row.loss,
      labels,
      optimizer: DEFAULT_SETTINGS,
      inputs: { ids: ['input_ids', 'attention_mask', 'token_type_ids'], targets: 'targets', scale: 'scale' },
      outputs: { loss: gradients.loss, logits: gradients.logits },
      dropout: gradients.sites.map(({ input, dims, threshold }) => ({ input, dims, rate: threshold / DROPOUT_LEVELS })),
      parameters: gradients.parameters.map((parameter) => {
        const gradient = gradients.gradients.find((one) => one.parameter === parameter)
        return {
          input: parameter.slot,
          variable: parameter.variable,
          shape: parameter.storedShape,
          gradient: gradient?.output ?? null,
          decays: rules.decays(parameter),
          adapts: rules.adapts(parameter),
          squares: rules.isLookup(parameter) ? (gradient?.lookupSquares ?? null) : null,
        }
      }),
    }
    const { staging } = directory
    writeBytes(join(staging, 'gradients.onnx'), gradients.bytes)
    writeBytes(join(staging, 'logits.onnx'), logits.bytes)
    writeWeights(join(staging, 'weights.safetensors'), prepared)
    writeText(join(staging, 'graph.json'), `${JSON.stringify(description, null, 2)}\n`)
    writeText(join(staging, 'README.md'), graphReadme(task, row.loss))
    const files = GRAPH_FILES.map((name) => ({ path: name, bytes: statSync(join(staging, name)).size }))
    await directory.flush()
    directory.commit()
    const notes = [...prepared.notes, ...opened.leftOut]
    return { ok: true, model: path, family: opened.config.family, task, classes, output, files, notes }
  } catch (error) {
    throw directory.named(error)
  } finally {
    directory.discard()
    opened.close()
  }
}
