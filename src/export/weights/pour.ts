import type { TensorSource } from '../../formats/core/source.js'
import { Turns } from '../../base/yield.js'
import { elementsBytes, type WriteEvents, type WrittenWeight } from './artefact.js'
import { Encoder } from './encoder.js'
import { inStoredOrder, WeightStream, type Sink } from './weight-stream.js'

export interface PourOptions {
  /** Writes the header or padding of a weight before its bytes. */
  readonly before?: (index: number) => void
  readonly onProgress?: WriteEvents['onProgress']
}

/**
 * Streams encoded weights to `target`, one after another, so that memory does not grow with the model.
 * @throws AlbertkitError of `target`, or `malformed` from the source
 */
export async function pourWeights(
  weights: readonly WrittenWeight[],
  source: TensorSource,
  target: { write(bytes: Uint8Array): void },
  { before, onProgress }: PourOptions = {},
): Promise<void> {
  const stream = new WeightStream(source)
  const encoder = new Encoder()
  const turns = new Turns()
  const total = weights.reduce((sum, weight) => sum + elementsBytes(weight), 0)
  let done = 0
  for (const [i, { parameter, as, encoding }] of weights.entries()) {
    before?.(i)
    const sink: Sink = (bytes) => {
      target.write(bytes)
      onProgress?.((done += bytes.length), total)
    }
    const turned = !inStoredOrder(parameter, as)
    const encode = encoder.sink(parameter, encoding, sink, { turned })
    for (const piece of stream.pieces(parameter, as)) {
      encode(piece)
      await turns.next()
    }
  }
}
