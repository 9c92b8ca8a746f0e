import { usage } from '../../base/errors.js'
import { toJsonLine } from '../../base/json-text.js'
import { addSource, keepSources, refuseSources } from '../../base/sources.js'
import { omitUndefined } from '../../base/omit-undefined.js'
import { MatrixFile } from '../../files/matrix-file.js'
import { refuseExisting, refuseSame, WholeFile } from '../../files/atomic-file.js'
import { isBad } from '../../text/data/examples.js'
import { float32Number } from '../../text/data/numbers.js'
import {
  embedEntries,
  embedTexts,
  openEmbedder,
  vectorLine,
  type EmbedderOptions,
  type Embedding,
  type VectorFormat,
} from './embed.js'
import { ErrorsFile, refuseExistingErrors } from './errors-file.js'
import { textModelOptions, tellListener, type Listener, type TextJob } from './job.js'
import { readPiece } from './piece.js'
import { until } from './pauses.js'
import type { EmbedFileReport, Similarity } from './report.js'
import { cosine } from './single.js'

export interface EmbedFileOptions {
  /** Path to write; if absent, JSON lines go to `put`. */
  readonly output?: string | undefined
  readonly errors?: string | undefined
  readonly force: boolean
  /** Text to compare with: each line gets its cosine instead of its vector. */
  readonly cosine?: string | undefined
}

/** Destination of vectors; false ends the work. */
interface Sink {
  put(embedding: Embedding): boolean | Promise<boolean>
  commit(): void | Promise<void>
  discard(): void
}

/** Writes a file of lines, or a matrix, that appears only when complete. */
function fileSink(path: string, format: VectorFormat, force: boolean, line: (e: Embedding) => string): Sink {
  refuseExisting(path, force)
  if (format === 'jsonl') {
    const file = new WholeFile(path)
    return {
      put(e) {
        file.write(Buffer.from(`${line(e)}\n`))
        return true
      },
      commit: async () => {
        await file.flush()
        file.commit()
      },
      discard: () => {
        file.discard()
      },
    }
  }
  let matrix: MatrixFile | null = null
  return {
    put({ vector }) {
      // The first vector gives the width of the matrix.
      matrix ??= new MatrixFile(path, format, vector.length, force)
      matrix.add(vector)
      return true
    },
    async commit() {
      if (matrix === null) throw usage('no line of the text is usable', { code: 'text-unusable' })
      await matrix.commit()
    },
    discard: () => matrix?.discard(),
  }
}

/** Options of the model of a job that makes vectors. */
export const embedderOptions = (job: TextJob): EmbedderOptions =>
  omitUndefined({
    ...textModelOptions(job),
    pooling: job.pooling,
    prompt: job.prompt,
    promptName: job.promptName,
  })

/**
 * Writes the vector of each line of a job, or its cosine with a text.
 * @param put takes a line of output; false ends the work
 * @throws AlbertkitError as `openTextModel`; `output`, `usage`
 */
export function embedFile(
  job: TextJob,
  options: EmbedFileOptions,
  put: (line: string) => Promise<boolean>,
  listener: Listener = {},
): Promise<EmbedFileReport> {
  return keepSources(() => embedInto(job, options, put, listener))
}

async function embedInto(
  job: TextJob,
  { output, errors: errorsPath, force, cosine: near }: EmbedFileOptions,
  put: (line: string) => Promise<boolean>,
  listener: Listener = {},
): Promise<EmbedFileReport> {
  addSource(job.input)
  const format = job.format as VectorFormat
  if (format !== 'jsonl' && output === undefined)
    throw usage(`format ${format} requires \`output\``, { code: 'option-missing' })
  if (format !== 'jsonl' && near !== undefined)
    throw usage('cosines are written as JSON lines', { code: 'option-conflict' })
  refuseSame({ 'the text': job.input, 'the output': output, 'the file of errors': errorsPath })
  if (output !== undefined) refuseExisting(output, force)
  refuseExistingErrors(errorsPath, force)
  const model = await openEmbedder(job.model, embedderOptions(job))
  const errors = new ErrorsFile(errorsPath)
  let sink: Sink | null = null
  let count = 0
  try {
    refuseSources([output, errorsPath])
    const [other] = near === undefined ? [] : await embedTexts(model, [near])
    const line = ({ text, vector }: Embedding): string =>
      other === undefined ? vectorLine(vector) : toJsonLine({ text, cosine: float32Number(cosine(vector, other)) })
    sink =
      output === undefined
        ? { put: (e) => put(line(e)), commit: () => undefined, discard: () => undefined }
        : fileSink(output, format, force, line)
    listener.onModel?.(model)
    const { entries, options } = await readPiece(job, model, {
      onProgress: (p) => {
        tellListener(listener, p)
      },
    })
    for await (const e of until(
      embedEntries(model, entries, options),
      output === undefined ? listener.gone : undefined,
    )) {
      if (isBad(e)) {
        listener.onBad?.(e)
        errors.add(e)
        continue
      }
      if (!(await sink.put(e))) break
      count++
    }
    errors.commit()
    await sink.commit()
    const { count: bad } = errors
    return {
      output: output ?? null,
      lines: count,
      bad,
      errors: bad > 0 ? (errorsPath ?? null) : null,
      runner: model.detail,
      notes: model.leftOut,
      resumedAt: null,
      steps: model.vectors?.steps ?? [],
    }
  } catch (error) {
    errors.fail(error)
    throw error
  } finally {
    sink?.discard()
    errors.close()
    await model.close()
  }
}

/** Computes the cosine of the vectors of two texts. @throws AlbertkitError as `openTextModel` */
export async function similarity(
  job: TextJob,
  texts: readonly [string, string],
  onNote: (note: string) => void = () => undefined,
): Promise<Similarity> {
  const model = await openEmbedder(job.model, { ...embedderOptions(job), onNote })
  try {
    const [a, b] = await embedTexts(model, texts)
    return { texts, steps: model.vectors?.steps ?? [], cosine: float32Number(cosine(a!, b!)) }
  } finally {
    await model.close()
  }
}
