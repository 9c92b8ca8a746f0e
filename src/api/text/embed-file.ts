import { ExampleReader, isBad, type BadLine } from '../../text/examples.js'
import { readLines, type Line } from '../../text/lines.js'
import { embedLines, openEmbedder } from './embed.js'
import { ErrorsFile, readerOf, textModelOptions, type TextJob } from './job.js'
import type { TextModel } from './model.js'
import { cosine, type Pooling } from './single.js'
import { float32Number } from '../../text/numbers.js'

/** The vector of one text. */
async function vectorOf(model: TextModel, pooling: Pooling, text: string): Promise<readonly number[]> {
  async function* one(): AsyncGenerator<Line> {
    yield await Promise.resolve({ number: 1, text })
  }
  for await (const e of embedLines(model, pooling, one(), new ExampleReader({ format: 'lines' })))
    if (!isBad(e)) return e.vector
  return []
}

/**
 * Writes the vector of each line of a file, or how near it is to a text. Gives how many lines could not be used.
 * @param put takes a line of output; false ends the work
 */
export async function embedFile(
  job: TextJob,
  pooling: Pooling,
  options: { readonly cosine?: string | undefined; readonly errors?: string | undefined },
  put: (line: string) => Promise<boolean>,
  onBad: (bad: BadLine) => void,
): Promise<number> {
  const model = await openEmbedder(job.model, pooling, textModelOptions(job))
  const errors = new ErrorsFile(options.errors)
  try {
    const other = options.cosine === undefined ? null : await vectorOf(model, pooling, options.cosine)
    for await (const e of embedLines(model, pooling, readLines(job.input), readerOf(job))) {
      if (isBad(e)) {
        onBad(e)
        errors.add(e)
        continue
      }
      const { text, vector } = e
      const said = other === null ? { vector } : { text, cosine: float32Number(cosine(vector, other)) }
      if (!(await put(JSON.stringify(said)))) break
    }
    return errors.count
  } finally {
    errors.close()
    await model.close()
  }
}
