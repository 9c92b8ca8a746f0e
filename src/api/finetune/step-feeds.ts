import type { Graph, GraphTensor } from '../../runtime/onnx/graph-session.js'
import { yieldToEventLoop } from '../../base/yield.js'
import { elementCount } from '../../formats/core/source.js'
import { inputShape } from '../../model/reference/run.js'
import type { GradientsGraph } from '../../training/graphs.js'
import { END_TARGETS, SCALE, TARGETS } from '../../training/loss.js'
import type { StepBatch } from './step-batch.js'
import type { TrainerOptions } from './trainer.js'

/** Random numbers that are drawn at a time: signals are seen in between. Those of an albert-base take seconds. */
const BUSY = 100_000

/** Place of a part of a batch in a run. */
export interface PartPlace {
  readonly step: number
  readonly part: number
  /** Terms of the loss of the whole batch. */
  readonly total: number
}

/** Sizes of a mask. */
function maskSize(dims: readonly (number | string)[], { batch, sequence }: StepBatch['inputs']): number[] {
  return dims.map((dim) => (typeof dim === 'number' ? dim : dim === 'sequence' ? sequence : batch))
}

/** A mask of a site, in memory that is kept from step to step. */
function maskOf(masks: Uint8Array[], index: number, length: number): Uint8Array {
  let mask = masks[index]
  if (mask === undefined || mask.length < length) masks[index] = mask = new Uint8Array(length)
  return mask.subarray(0, length)
}

/** Tensors of the three integer inputs. */
export function inputFeeds(
  session: Graph,
  inputs: StepBatch['inputs'],
  asChoices: boolean,
): Record<string, GraphTensor> {
  const dims = inputShape(inputs, asChoices)
  return {
    input_ids: session.ids(inputs.input_ids, dims),
    attention_mask: session.ids(inputs.attention_mask, dims),
    token_type_ids: session.ids(inputs.token_type_ids, dims),
  }
}

/** What the graph of the gradients is given for a part of a batch, beside the weights. */
export class StepFeeds {
  constructor(
    readonly session: Graph,
    readonly graph: GradientsGraph,
    readonly options: Pick<TrainerOptions, 'heads' | 'fillMask'>,
  ) {}

  /** @param masks memory of the dropout masks, kept from step to step */
  async of(
    { inputs, targets }: StepBatch,
    masks: Uint8Array[],
    { step, part, total }: PartPlace,
  ): Promise<Record<string, GraphTensor>> {
    const { session, graph, options } = this
    const feeds: Record<string, GraphTensor> = {
      ...inputFeeds(session, inputs, options.heads.classifier && inputs.choices !== undefined),
      [SCALE]: session.floats(Float32Array.of(1 / total), []),
    }
    targets.forEach(({ data, dims }, i) => {
      feeds[i === 0 ? TARGETS : END_TARGETS] = session.floats(data, dims)
    })
    for (const [index, { input, dims, threshold }] of graph.sites.entries()) {
      const size = maskSize(dims, inputs)
      const mask = maskOf(masks, index, elementCount(size))
      options.fillMask?.(mask, { index, threshold, step, part })
      feeds[input] = session.bytes(mask, size)
      if (mask.length > BUSY) await yieldToEventLoop()
    }
    return feeds
  }
}
