import { requireObject } from '../../base/arguments.js'
import { progressStep, stoppable, type Abortable, type OnProgress } from '../../base/abort.js'
import { usage } from '../../base/errors.js'
import { distinctNames } from '../distinct-names.js'
import { compute, expectedSeconds } from '../reference/compute.js'
import { BODY, layerInputs } from './inputs.js'
import { openModel, type OpenModelOptions } from '../open/open.js'
import type { ModelLayers } from './report.js'

/** Expected seconds from which progress advises how to shorten the work. */
const LONG_SECONDS = 5

export interface LayersOptions extends Abortable, OpenModelOptions {
  /** Path of a golden whose inputs are used. */
  readonly golden?: string
  /** Path of a file of lines of text. */
  readonly text?: string
  /** Called with the current step. */
  readonly onProgress?: OnProgress
}

/**
 * Runs a model in the float64 reference and measures how each layer changes its tokens (Lan et al. 2019, figure 1: L2
 * distance and cosine similarity of a layer's input and output) and how each attention head attends and contributes.
 * @throws AlbertkitError as `openModel`; `usage` if no token is left to analyse
 */
export async function modelLayers(path: string, asked: LayersOptions = {}): Promise<ModelLayers> {
  const options = stoppable(asked)
  const { onProgress } = options
  const opened = await openModel(path, options)
  try {
    const { kind, inputs, notes } = await layerInputs(opened, options)
    const [name = path] = distinctNames([path])
    const work = { kind: 'trace', inputs, heads: BODY } as const
    const shorter = expectedSeconds(work, opened) > LONG_SECONDS ? 'a `text` of one line takes less' : null
    const { tokens, layers, heads } = await compute(work, opened, {
      signal: options.signal,
      onLayer: (done, total) => {
        onProgress?.(progressStep('running the reference', name, [done - 1, total], shorter))
      },
    })
    if (tokens === 0)
      throw usage('every position of the inputs is masked: no tokens are left to analyse', {
        code: 'text-unusable',
        ...(options.golden === undefined ? {} : { file: options.golden }),
      })
    return {
      model: name,
      family: opened.config.family,
      architecture: opened.config.architecture,
      inputs: { kind, rows: inputs.reduce((n, { batch }) => n + batch, 0), tokens },
      layers,
      heads,
      notes: [...opened.notes, ...notes],
    }
  } finally {
    opened.close()
  }
}

/** Applies `modelLayers` to several models, under distinct names. */
export async function compareLayers(paths: readonly string[], options: LayersOptions = {}): Promise<ModelLayers[]> {
  requireObject('paths', paths)
  const names = distinctNames(paths)
  const found: ModelLayers[] = []
  for (const [i, path] of paths.entries())
    found.push({ ...(await modelLayers(path, options)), model: names[i] ?? path })
  return found
}
