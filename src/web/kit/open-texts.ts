import type { Abortable } from '../../base/abort.js'
import { openEmbedder } from '../../api/inference/embed.js'
import { openTextModel } from '../../api/inference/model.js'
import type { TextModel, TextModelOptions } from '../../api/inference/text-model.js'
import { readText as readWith } from '../../api/page/read-text.js'
import type { PageTask, Runnable, TextReading, TextRequest } from '../../api/page/report.js'
import { join } from '../system/path.js'

/** How a text is read: a runtime, and the file that it runs. */
export interface ReadTextOptions extends Abortable {
  readonly runnable: Pick<Runnable, 'runner' | 'file'>
}

/** Models that stay open: each holds its weights, and in wasm nothing is given back to the system. */
const MOST = 8

/** Open models by their folder, file, runtime and task; the one that was used last comes last. */
const open = new Map<string, Promise<TextModel>>()

/** Opens as the commands do: `predict` reads 128 tokens, and `fill-mask` as many as the model takes. */
function openFor(path: string, task: PageTask, options: TextModelOptions): Promise<TextModel> {
  if (task === 'features') return openEmbedder(path, options)
  const isWhole = (task === 'mlm' || task === 'sop') && options.runner !== 'litert'
  return openTextModel(path, task, undefined, isWhole ? { ...options, maxSeqLength: Infinity } : options)
}

async function close(key: string): Promise<void> {
  const model = open.get(key)
  open.delete(key)
  await model?.then((one) => one.close()).catch(() => undefined)
}

async function modelFor(path: string, task: PageTask, { runner, file }: ReadTextOptions['runnable']) {
  const key = [path, file ?? '', runner, task].join('\n')
  const known = open.get(key)
  const model = known ?? openFor(file === null ? path : join(path, file), task, { runner })
  open.delete(key)
  open.set(key, model)
  if (known === undefined) {
    const [oldest] = open.keys()
    if (open.size > MOST && oldest !== undefined) await close(oldest)
    model.catch(() => {
      open.delete(key)
    })
  }
  return model
}

/** Reads a text with a model of a folder, which stays open for the next one. @throws AlbertkitError as `openTextModel` */
export async function readText(path: string, request: TextRequest, options: ReadTextOptions): Promise<TextReading> {
  const start = performance.now()
  const model = await modelFor(path, request.task, options.runnable)
  const openMilliseconds = performance.now() - start
  return { ...(await readWith(model, request)), openMilliseconds }
}
