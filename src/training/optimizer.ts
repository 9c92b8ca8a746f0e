/** The optimizers of BERT (optimization.py) and of the ALBERT repositories (lamb_optimizer.py). */
export const OPTIMIZERS = ['adamw', 'lamb'] as const
export type OptimizerName = (typeof OPTIMIZERS)[number]

export interface OptimizerSettings {
  readonly optimizer: OptimizerName
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
  /** Largest global norm of the gradients; Infinity for no clipping. */
  readonly clipNorm: number
}

export const DEFAULT_SETTINGS: OptimizerSettings = {
  optimizer: 'adamw',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-6,
  weightDecay: 0.01,
  clipNorm: 1,
}

/** A variable in training: its values and the moving averages of its gradient and of the square of that. */
export interface TrainedVariable {
  readonly values: Float32Array
  readonly m: Float32Array
  readonly v: Float32Array
  /** False for LayerNorm parameters and biases. */
  readonly decays: boolean
  /** LAMB: true if the step is scaled by |w| / |update|. */
  readonly adapts: boolean
  /** Factor of the learning rate (layer-wise decay). */
  readonly rateFactor: number
}

export function sumOfSquares(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += value * value
  return sum
}

/** Factor of every gradient that brings their global norm down to `clipNorm` (`tf.clip_by_global_norm`). */
export const clipFactor = (norm: number, clipNorm: number): number => (norm > clipNorm ? clipNorm / norm : 1)

/**
 * Updates a variable in place. Neither optimizer corrects the bias of m and v, as in the original code.
 * @param rate learning rate of the step
 * @param clip factor of the gradient
 */
export function updateVariable(
  variable: TrainedVariable,
  gradient: Float32Array,
  settings: OptimizerSettings,
  { rate, clip }: { readonly rate: number; readonly clip: number },
): void {
  const { values, m, v, decays, rateFactor } = variable
  const { beta1, beta2, epsilon } = settings
  const decay = decays ? settings.weightDecay : 0
  const own = rate * rateFactor
  const isAdam = settings.optimizer === 'adamw'
  const updates = isAdam ? null : new Float32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i]! * clip
    const mean = beta1 * m[i]! + (1 - beta1) * g
    const square = beta2 * v[i]! + (1 - beta2) * g * g
    m[i] = mean
    v[i] = square
    const update = mean / (Math.sqrt(square) + epsilon) + decay * values[i]!
    if (updates === null) values[i] = values[i]! - own * update
    else updates[i] = update
  }
  if (updates === null) return
  const step = own * (variable.adapts ? trustRatio(values, updates) : 1)
  for (let i = 0; i < values.length; i++) values[i] = values[i]! - step * updates[i]!
}

/** |w| / |update|, or 1 if either is zero (You et al. 2019, algorithm 2). */
function trustRatio(values: Float32Array, updates: Float32Array): number {
  const [weight, update] = [Math.sqrt(sumOfSquares(values)), Math.sqrt(sumOfSquares(updates))]
  return weight > 0 && update > 0 ? weight / update : 1
}
