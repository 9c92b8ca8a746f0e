import type { LayerMeans, HeadMeans } from '../../model/reference/trace.js'
import type { LayerInputs } from './inputs.js'

/** Analysis of the layers of one model. */
export interface ModelLayers {
  readonly model: string
  readonly family: string
  readonly architecture: string
  /** Inputs of the analysis. */
  readonly inputs: {
    readonly kind: LayerInputs['kind']
    readonly rows: number
    /** Number of tokens in the means, padding excluded. */
    readonly tokens: number
  }
  readonly layers: readonly LayerMeans[]
  readonly heads: readonly HeadMeans[]
  readonly notes: readonly string[]
}
