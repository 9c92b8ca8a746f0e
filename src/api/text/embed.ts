import { isBad, type BadLine, type ExampleReader } from '../../text/examples.js'
import type { Line } from '../../text/lines.js'
import { float32Number } from '../../text/numbers.js'
import { openTextModel, type TextModel, type TextModelOptions } from './model.js'
import { answers, type PipelineOptions } from './pipeline.js'
import { meanOf, type Pooling } from './single.js'

export interface Embedding {
  readonly line: number
  readonly text: string
  readonly vector: readonly number[]
}

const OUTPUTS: Readonly<Record<Pooling, string>> = { mean: 'last_hidden_state', pooled: 'pooler_output' }

/** Opens a model for vectors. @throws AlbertkitError as `openTextModel` */
export const openEmbedder = (path: string, pooling: Pooling, options: TextModelOptions = {}): Promise<TextModel> =>
  openTextModel(path, 'features', OUTPUTS[pooling], options)

/** Vectors of lines, in order: the mean of the last hidden state over the tokens, or the pooler's output. */
export async function* embedLines(
  model: TextModel,
  pooling: Pooling,
  lines: AsyncIterable<Line>,
  reader: ExampleReader,
  options: PipelineOptions = {},
): AsyncGenerator<Embedding | BadLine> {
  for await (const answer of answers(model, OUTPUTS[pooling], lines, reader, options)) {
    if (isBad(answer)) {
      yield answer
      continue
    }
    const { example, values, shape, tokens } = answer
    const vector = pooling === 'pooled' ? [...values] : meanOf(values, shape.at(-1)!, tokens)
    yield { line: example.line, text: example.text, vector: vector.map(float32Number) }
  }
}
