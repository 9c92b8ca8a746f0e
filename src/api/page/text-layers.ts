import { progressStep, stopIfAborted, type Abortable, type OnProgress } from '../../base/abort.js'
import { hiddenStateCount } from '../../model/outputs.js'
import { TraceMeans, traceOn } from '../../model/reference/trace.js'
import { makeBatches } from '../../text/data/batches.js'
import { makeFeatures } from '../../text/data/features.js'
import { openModel } from '../open/open.js'
import { fittingTokenizer } from '../open/tokenizer.js'
import { inputsOf } from '../verify/text-inputs.js'
import { inputTokens, secondText } from './input-tokens.js'
import type { AttentionOfLayer, TextLayers, TextRequest } from './report.js'

export interface TextLayersOptions extends Abortable {
  readonly onProgress?: OnProgress
}

/** Tokens of a text: every head has the square of them. */
const MOST_TOKENS = 64

/**
 * Runs one text in the float64 reference, in the calling thread: what each layer does to it, and what each attention
 * head looks at.
 * @throws AlbertkitError as `openModel`; `interrupted`
 */
export async function textLayers(
  path: string,
  request: Pick<TextRequest, 'text' | 'textB'>,
  { signal, onProgress }: TextLayersOptions = {},
): Promise<TextLayers> {
  const opened = await openModel(path)
  try {
    stopIfAborted(signal)
    const tokenizer = fittingTokenizer(opened, {})
    const maxLength = Math.min(MOST_TOKENS, opened.config.max_position_embeddings)
    const texts = [request.text, secondText(request)] as const
    const features = makeFeatures(tokenizer, ...texts, maxLength)
    const [batch] = makeBatches([features], 1)
    const attention: AttentionOfLayer[] = []
    const means = new TraceMeans((layer, inner, { data }) => {
      attention.push({ layer, inner, probabilities: Float32Array.from(data) })
    })
    const total = hiddenStateCount(opened.model)
    let done = 0
    traceOn(opened, inputsOf(batch!), means, {
      onLayer: () => onProgress?.(progressStep('running the reference', '', [++done - 1, total])),
    })
    return { ...inputTokens(tokenizer, texts, features), ...means.result(), attention }
  } finally {
    opened.close()
  }
}
