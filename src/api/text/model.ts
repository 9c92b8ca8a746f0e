import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AlbertkitError, usage } from '../../errors.js'
import { exportModel } from '../../export/index.js'
import { hashFile } from '../../export/hash-file.js'
import { onInterrupt } from '../../interrupt.js'
import { resolveTask, type Task } from '../../model/outputs.js'
import { openRunner } from '../../runtime/index.js'
import type { NamedTensor, Runner } from '../../runtime/runner.js'
import type { Batch } from '../../text/batches.js'
import { findTokenizer, loadTokenizer } from '../../text/load.js'
import type { Tokenizer } from '../../text/tokenizer.js'
import { openModel, type OpenedModel, type OpenModelOptions } from '../open.js'
import { readLabelLines, readLabels } from '../side-files.js'

export interface TextModelOptions extends OpenModelOptions {
  /** Vocabulary instead of the one beside the model. */
  readonly vocabulary?: string
  readonly lowerCase?: boolean
  /** `onnxruntime` or `tfjs-wasm`; the fastest that is there if left out. */
  readonly runner?: string
  /** Names of the classes, in the order of the model's outputs. */
  readonly labels?: readonly string[]
  /** Tokens of an input at most; 128 if left out, and never more than the model has positions. */
  readonly maxSeqLength?: number
  /** Compute `sha256`, which reads all weights once more. */
  readonly hash?: boolean
}

/** A model with its tokenizer, ready to read text. */
export interface TextModel {
  readonly tokenizer: Tokenizer
  /** Names of the classes, or null where none are known. */
  readonly labels: readonly string[] | null
  readonly maxLength: number
  /** The runtime that runs it, and what of. */
  readonly runner: string
  readonly detail: string
  /** `global_step` of a checkpoint, or null. */
  readonly globalStep: number | null
  /** With `hash`: SHA-256 over everything that the answers depend on, weights, configuration, vocabulary; else empty. */
  readonly sha256: string
  run(batch: Batch, output: string): Promise<NamedTensor>
  close(): Promise<void>
}

const DEFAULT_LENGTH = 128

/** An artefact in `directory` that gives `output`, opened; null where there is none. */
async function openArtefact(path: string, output: string, wanted: string | undefined): Promise<Runner | null> {
  const onnx = path.endsWith('.onnx') ? path : join(path, 'onnx/model.onnx')
  const tfjs = path.endsWith('model.json') ? path : join(path, 'tfjs/model.json')
  const candidates: [string, string, () => Promise<Runner>][] = [
    ['onnxruntime', onnx, () => openRunner('onnxruntime', { file: onnx })],
    ['tfjs-wasm', tfjs, () => openRunner('tfjs-wasm', { file: tfjs })],
  ]
  for (const [name, file, open] of candidates) {
    if (!existsSync(file) || (wanted !== undefined && wanted !== name)) continue
    try {
      const runner = await open()
      if (runner.outputs.includes(output)) return runner
      await runner.close()
    } catch (error) {
      if (!(error instanceof AlbertkitError && error.kind === 'environment')) throw error
    }
  }
  return null
}

/** Writes the model for a runtime into a temporary folder, which goes when the runner is closed. */
async function openConverted(opened: OpenedModel, task: Task, wanted: string | undefined): Promise<Runner> {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-text-'))
  const remove = (): void => {
    forget()
    rmSync(folder, { recursive: true, force: true })
  }
  const forget = onInterrupt(remove)
  const open = async (target: 'onnx' | 'tfjs'): Promise<Runner> => {
    await exportModel(opened.model, opened.source, target, folder, { task, allOutputs: false })
    if (target === 'tfjs') return openRunner('tfjs-wasm', { file: join(folder, 'tfjs/model.json') })
    return openRunner('onnxruntime', { file: join(folder, 'onnx/model.onnx') })
  }
  try {
    const runner = await (wanted === 'tfjs-wasm' ? open('tfjs') : open('onnx').catch((error: unknown) => {
      if (wanted === undefined && error instanceof AlbertkitError && error.kind === 'environment') return open('tfjs')
      throw error
    })) // prettier-ignore
    return {
      name: runner.name,
      detail: runner.detail,
      adapter: runner.adapter,
      outputs: runner.outputs,
      marks: runner.marks,
      inner: runner.inner,
      run: (inputs, names) => runner.run(inputs, names),
      close: async () => {
        await runner.close()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

/** Where the model of an artefact lies. */
const homeOf = (path: string): string => (/\.onnx$|model\.json$/.test(path) ? dirname(dirname(path)) : path)

function globalStepOf(opened: OpenedModel): number | null {
  const info = opened.source.tensors.get('global_step')
  if (info?.byteLength !== 8) return null
  const bytes = new Uint8Array(8)
  opened.source.read('global_step', 0, bytes)
  return Number(new DataView(bytes.buffer).getBigInt64(0, true))
}

function hashModel(opened: OpenedModel, tokenizer: Tokenizer, artefact: string | null): string {
  const files = [
    ...opened.source.files,
    opened.rawConfig.file,
    tokenizer.file,
    ...(artefact === null ? [] : [artefact]),
  ]
  const hash = createHash('sha256')
  for (const file of files) if (existsSync(file)) hash.update(hashFile(file).sha256)
  return hash.digest('hex')
}

/** Labels of a file that was named, one a line. @throws AlbertkitError `usage` where it cannot be read */
export const readLabelsFile = (file: string): readonly string[] => {
  try {
    return readLabelLines(file)
  } catch (error) {
    throw usage('the labels cannot be read', { file, cause: error })
  }
}

/**
 * Opens a model, or an artefact that `convert` wrote, to read text with it. A model without an artefact for the task is
 * written for the fastest runtime first, in a temporary folder.
 * @param output what is asked for: `logits`, `prediction_logits`, `sop_logits`, `pooler_output`, `last_hidden_state`
 * @throws AlbertkitError `usage` where it lacks the head or a vocabulary; `malformed`, `unsupported`, `environment`
 */
export async function openTextModel(
  path: string,
  task: Task,
  output: string,
  options: TextModelOptions = {},
): Promise<TextModel> {
  const { runner: wanted } = options
  if (wanted !== undefined && wanted !== 'onnxruntime' && wanted !== 'tfjs-wasm')
    throw usage(`text is not read with the runner ${wanted}`, { hint: 'runners: onnxruntime, tfjs-wasm' })
  const opened = await openModel(homeOf(path), options)
  try {
    const resolved = resolveTask(opened.model, task)
    const lower = options.lowerCase === undefined ? {} : { lowerCase: options.lowerCase }
    const tokenizer = loadTokenizer(options.vocabulary ?? tokenizerHome(opened), lower)
    const { max_position_embeddings: positions, vocab_size } = opened.config
    if (tokenizer.size > vocab_size)
      throw usage(`the vocabulary has ${tokenizer.size} tokens, the model ${vocab_size}`, { file: tokenizer.file, hint: 'give the model its own with --vocab FILE' }) // prettier-ignore
    const artefact = await openArtefact(path, output, wanted)
    const runner = artefact ?? (await openConverted(opened, resolved, wanted))
    const sha256 = options.hash === true ? hashModel(opened, tokenizer, path.endsWith('.onnx') ? path : null) : ''
    const globalStep = globalStepOf(opened)
    const labels = options.labels ?? readLabels(opened.directory, opened.config)
    return {
      tokenizer,
      labels,
      maxLength: Math.min(options.maxSeqLength ?? DEFAULT_LENGTH, positions),
      runner: runner.name,
      detail: runner.detail,
      globalStep,
      sha256,
      run: async (batch, name) => {
        const inputs = { ...batch, batch: batch.places.length }
        return (await runner.run(inputs, [name])).get(name)!
      },
      close: () => runner.close(),
    }
  } finally {
    opened.close()
  }
}

const tokenizerHome = (opened: OpenedModel): string =>
  [opened.directory, dirname(opened.rawConfig.file)].find((d) => findTokenizer(d) !== null) ?? opened.directory
