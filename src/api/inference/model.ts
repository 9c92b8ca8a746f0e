import { requireText } from '../../base/arguments.js'
import { asyncDisposable } from '../../base/disposable.js'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import {
  artefactPath,
  fileNames,
  graphLayout,
  isArtefactName,
  isGraphName,
  type GraphTarget,
} from '../../base/artefact-layout.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { AlbertkitError, environment, isEnvironment, unreadable, usage } from '../../base/errors.js'
import { installCommand } from '../../base/install-command.js'
import { exportModel } from '../../export/export.js'
import type { ExportOptions } from '../../export/options.js'
import { disk, diskPath } from '../../files/disk.js'
import { hashInTurns } from '../../files/hash-file.js'
import { exists } from '../../formats/core/file-port.js'
import { canDo, resolveTask } from '../../model/outputs.js'
import { forwardFlops } from '../../model/accounting/cost.js'
import { ALL_HEADS, answerOf, type ResolvedTask, type Task } from '../../model/tasks.js'
import { MAX_PASSAGE_LENGTH } from '../../text/data/passages.js'
import type { NamedTensor, Runner } from '../../runtime/runner.js'
import { temporaryFolder } from '../../base/temporary-folder.js'
import type { Batch } from '../../text/data/batches.js'
import { tokenizerFiles } from '../../text/tokenizers/load.js'
import type { Tokenizer } from '../../text/tokenizers/tokenizer.js'
import { openModel, type OpenedModel } from '../open/open.js'
import { homeOf } from '../open/home.js'
import { placeOf } from '../open/place.js'
import { addModelSources } from '../open/model-sources.js'
import { refuseChanged } from '../open/manifest-files.js'
import { readLabelLines, readLabels } from '../labels.js'
import { artefactOf, openTextFile, runBatch, TEXT_RUNNERS, textRunnerOf, type TextRunner } from './runners.js'
import { readVectorPlan } from './sentence/read-vectors.js'
import type { VectorPlan } from './sentence/vectors.js'
import { fittingTokenizer } from '../open/tokenizer.js'
import { openPool } from './process-pool.js'
import type { WorkerPlan } from './window-worker.js'
import type { TextModel, TextModelOptions } from './text-model.js'
import { DEFAULT_BATCH, type TextPool } from './window.js'

const DEFAULT_LENGTH = 128
/** A question and its passage: run_squad's default. */
const DEFAULT_LENGTHS: Partial<Record<ResolvedTask, number>> = { qa: MAX_PASSAGE_LENGTH }

/** Open runner, and the file from which the same can be opened again. */
interface OpenedFile {
  readonly runner: Runner
  readonly name: TextRunner
  readonly file: string
  /** Removes the file if it is temporary. */
  readonly remove: () => void
}

/** Path of a target's file: `path` itself, else the most precise in that directory; null if there is none. */
function fileOf(path: string, target: GraphTarget): string | null {
  const layout = graphLayout(target)
  if (isArtefactName(layout, path) && existsSync(path)) return path
  return (
    fileNames(layout)
      .map((name) => join(path, layout.folder, name))
      .find((file) => existsSync(file)) ?? null
  )
}

/**
 * Opens an artefact at `path` that has `output`, in the fastest runtime; null if there is none.
 * @param checked files that were compared with the manifest already; null to compare none
 * @param length tokens of a row that are asked for
 */
async function openArtefact(
  path: string,
  output: string,
  {
    wanted,
    checked,
    length,
  }: { readonly wanted: TextRunner | undefined; readonly checked: Set<string> | null; readonly length: number },
): Promise<OpenedFile | null> {
  for (const name of wanted === undefined ? TEXT_RUNNERS : [wanted]) {
    const file = fileOf(path, artefactOf(name))
    if (file === null) continue
    if (checked?.has(diskPath(file)) === false) {
      const changed = await refuseChanged(disk, [diskPath(file)])
      if (changed !== null) throw changed
      checked.add(diskPath(file))
    }
    addModelSources(disk, diskPath(dirname(file)), [diskPath(file)])
    try {
      const runner = await openTextFile(name, file, wanted === undefined, sizeOf(file))
      const { outputs, sequence = Infinity } = runner
      if (outputs.includes(output) && length <= sequence) return { runner, name, file, remove: () => undefined }
      await runner.close()
      if (length > sequence)
        throw usage(`the file takes ${sequence} tokens a row, and \`maxSeqLength\` is ${length}`, {
          code: 'sequence-too-long',
          file,
          hint: 'leave `maxSeqLength` out, or convert with a longer `sequence`',
        })
    } catch (error) {
      if (wanted !== undefined || !isEnvironment(error)) throw error
    }
  }
  return null
}

/**
 * Writes the model for a runtime into a temporary folder, which is removed when the model is closed. All threads open
 * this file, and none of them needs a copy in memory.
 */
async function openConverted(
  opened: OpenedModel,
  options: ExportOptions,
  wanted: TextRunner | undefined,
): Promise<OpenedFile> {
  const { path: folder, remove } = temporaryFolder()
  try {
    for (const name of wanted === undefined ? TEXT_RUNNERS : [wanted]) {
      const form = artefactOf(name)
      const file = join(folder, artefactPath(form))
      if (!existsSync(file)) await exportModel(opened.model, opened.source, form, folder, options)
      try {
        return { runner: await openTextFile(name, file, wanted === undefined, sizeOf(file)), name, file, remove }
      } catch (error) {
        if (wanted !== undefined || !isEnvironment(error)) throw error
      }
    }
    throw environment('no runtime that can read text is installed', {
      code: 'package-missing',
      hint: installCommand('onnxruntime-node'),
    })
  } catch (error) {
    remove()
    throw error
  }
}

/** Bytes of a model's file including its weights. */
function sizeOf(file: string): number {
  if (!file.endsWith('.json')) return statSync(file).size
  const folder = dirname(file)
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

function globalStepOf(opened: OpenedModel): number | null {
  const info = opened.source.tensors.get('global_step')
  if (info?.byteLength !== 8) return null
  const bytes = new Uint8Array(8)
  opened.source.read('global_step', 0, bytes)
  return Number(new DataView(bytes.buffer).getBigInt64(0, true))
}

/** @param path of the model: a file that is an artefact by itself is part of it */
async function hashModel(opened: OpenedModel, own: readonly string[], path: string): Promise<string> {
  const { files } = opened
  const hash = createHash('sha256')
  for (const file of [...opened.source.files, opened.rawConfig.file, ...own])
    if (exists(files, file)) hash.update((await hashInTurns(files, file)).sha256)
  const isArtefact = isGraphName(path) && !path.endsWith('.json')
  if (isArtefact && exists(disk, path)) hash.update((await hashInTurns(disk, path)).sha256)
  return hash.digest('hex')
}

/** Reads the labels in a file given by the user, one per line. @throws AlbertkitError `usage` if it cannot be read */
export const readLabelsFile = (file: string): readonly string[] => {
  try {
    return readLabelLines(disk, diskPath(file))
  } catch (error) {
    if (error instanceof AlbertkitError && error.code === 'labels-mismatch') throw error
    throw unreadable('the labels', file, error)
  }
}

interface TextReading {
  readonly tokenizer: Tokenizer
  readonly vectors: VectorPlan | null
  readonly maxLength: number
}

/** Reads how texts are read: tokenizer, longest input, and the way to vectors if it is asked for. */
async function readReading(opened: OpenedModel, task: ResolvedTask, options: TextModelOptions): Promise<TextReading> {
  const { lowerCase, vocabulary } = options
  const tokenizer = fittingTokenizer(opened, omitUndefined({ lowerCase, vocabulary }))
  const { max_position_embeddings: positions } = opened.config
  const vectors = options.vectors === undefined ? null : await readVectorPlan(opened, tokenizer, options.vectors)
  const byDefault = DEFAULT_LENGTHS[task] ?? vectors?.maxLength ?? tokenizer.maxLength ?? DEFAULT_LENGTH
  const limit = options.maxSeqLength ?? byDefault
  return { tokenizer, vectors, maxLength: Math.min(limit, positions) }
}

/**
 * Resolves the task: the first of `tasks` that the model can do. The error for a model that can do none is that of the
 * first, and names the unused contents of the file.
 */
function resolveOrTell(opened: OpenedModel, tasks: readonly Task[]): ResolvedTask {
  const [first, ...others] = tasks
  try {
    return resolveTask(opened.model, first!)
  } catch (error) {
    const other = others.find((task) => canDo(opened.model, task as ResolvedTask))
    if (other !== undefined) return other as ResolvedTask
    if (!(error instanceof AlbertkitError) || opened.leftOut.length === 0) throw error
    throw error.with({ hint: [error.hint, ...opened.leftOut].filter((text) => text !== undefined).join('; ') })
  }
}

/** Opens the model that a user named; closing it also gives back what came from a server. */
async function openPlaced(
  model: string,
  options: TextModelOptions,
): Promise<{ readonly path: string; readonly opened: OpenedModel }> {
  const { path, files, close } = await placeOf(model, options.files)
  try {
    const opened = await openModel(homeOf(path), { ...options, files })
    const closeAll = (): void => {
      opened.close()
      close?.()
    }
    return { path, opened: { ...opened, close: closeAll } }
  } catch (error) {
    close?.()
    throw error
  }
}

function requireLength({ maxSeqLength = DEFAULT_LENGTH }: TextModelOptions): void {
  if (maxSeqLength < 2)
    throw usage('`maxSeqLength` must be at least 2, for [CLS] and [SEP]', { code: 'option-invalid' })
}

/**
 * Opens a model, or an artefact that `convertModel` wrote, for running on text. A model without an artefact for the
 * task is first exported for the fastest runtime, into a temporary folder.
 * @param task the task, or several in the order in which they are tried
 * @param output name of an output that the artefact must have; default: the one that holds the answer of the task
 * @throws AlbertkitError `usage` if it lacks the head or a vocabulary; `malformed`, `unsupported`, `environment`
 */
export async function openTextModel(
  model: string,
  task: Task | readonly ResolvedTask[],
  output?: string,
  options: TextModelOptions = {},
): Promise<TextModel> {
  requireText('model', model)
  const wanted = textRunnerOf(options.runner)
  requireLength(options)
  const { path, opened } = await openPlaced(model, options)
  try {
    // Vectors are made with the modules that other outputs leave out.
    const leftOut = opened.leftOut.filter((note) => options.vectors === undefined || note !== opened.modulesNote)
    for (const note of leftOut) options.onNote?.(note)
    const resolved = resolveOrTell(opened, typeof task === 'string' ? [task] : task)
    const wantedOutput = output ?? answerOf(resolved)
    const { tokenizer, vectors, maxLength: usual } = await readReading(opened, resolved, options)
    const { max_position_embeddings: positions, vocab_size, type_vocab_size } = opened.config
    const labels = options.labels ?? readLabels(opened)
    const own = [tokenizer.file, ...(vectors?.files ?? [])]
    const sha256 = options.hash === true ? await hashModel(opened, own, path) : ''
    const globalStep = globalStepOf(opened)
    const checked = options.checksum === false ? null : new Set(opened.source.files)
    // Opened last: if an earlier step fails, there is no runtime to close and no folder to remove.
    const { runner, name, file, remove } =
      (await openArtefact(path, wantedOutput, { wanted, checked, length: options.maxSeqLength ?? 0 })) ??
      (await openConverted(opened, { task: resolved, allOutputs: false, sequence: usual }, wanted))
    const maxLength = Math.min(usual, runner.sequence ?? Infinity)
    const plan: WorkerPlan = {
      runner: name,
      file,
      bytes: sizeOf(file),
      tokenizer: { file: tokenizer.file, contents: tokenizerFiles(opened.files, tokenizer.file) },
      lowerCase: options.lowerCase,
      maxLength,
      vectors,
      flopsPerToken: forwardFlops(opened.model, ALL_HEADS, 1, maxLength) / maxLength,
    }
    const run = (batch: Batch, outputs: readonly string[]): Promise<readonly NamedTensor[]> =>
      runBatch(runner, batch, outputs)
    const readable = { tokenizer, maxLength, vectors, run }
    const pools = new Map<string, TextPool>()
    return asyncDisposable({
      ...readable,
      labels,
      task: resolved,
      problem: opened.config.problem_type,
      limits: { vocabulary: vocab_size, segments: type_vocab_size, positions },
      runner: runner.name,
      detail: runner.detail,
      fastest: wanted !== undefined || name === 'litert' || runner.detail.startsWith('onnxruntime-node'),
      globalStep,
      sha256,
      leftOut,
      pool: (threads?: number, batch = DEFAULT_BATCH) => {
        const key = `${String(threads)} ${batch}`
        const pool = pools.get(key) ?? openPool(readable, plan, batch, threads)
        pools.set(key, pool)
        return pool
      },
      close: async () => {
        await Promise.all([...pools.values()].map((pool) => pool.close()))
        await runner.close()
        remove()
      },
    })
  } finally {
    opened.close()
  }
}
