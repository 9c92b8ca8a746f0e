import type { LayerMeans, HeadMeans } from '../../model/reference/trace.js'
import type { LayerInputs } from './inputs.js'

/** What the layers of one model do. */
export interface ModelLayers {
  readonly model: string
  readonly family: string
  readonly architecture: string
  /** What it was watched on. */
  readonly inputs: {
    readonly kind: LayerInputs['kind']
    readonly rows: number
    /** Tokens that the means are over: padding is left out. */
    readonly tokens: number
  }
  readonly layers: readonly LayerMeans[]
  readonly heads: readonly HeadMeans[]
  readonly notes: readonly string[]
}
