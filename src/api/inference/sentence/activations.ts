import { erf } from '../../../model/reference/reference.js'
import { sigmoid } from '../../../text/data/numbers.js'

/** Activations of `torch.nn` without parameters, by class name, with the defaults of their arguments. */

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x))
const softplus = (x: number): number => (x > 20 ? x : Math.log1p(Math.exp(x)))
const elu = (x: number, alpha = 1): number => (x > 0 ? x : alpha * Math.expm1(x))
/** Constants of Klambauer et al. 2017, as PyTorch has them. */
const [SELU_ALPHA, SELU_SCALE] = [1.6732632423543772, 1.0507009873554805] as const

export const ACTIVATIONS = {
  Identity: (x: number) => x,
  Tanh: Math.tanh,
  ReLU: (x: number) => Math.max(0, x),
  ReLU6: (x: number) => clamp(x, 0, 6),
  GELU: (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  Sigmoid: sigmoid,
  SiLU: (x: number) => x * sigmoid(x),
  Mish: (x: number) => x * Math.tanh(softplus(x)),
  ELU: (x: number) => elu(x),
  CELU: (x: number) => elu(x),
  SELU: (x: number) => SELU_SCALE * elu(x, SELU_ALPHA),
  LeakyReLU: (x: number) => (x >= 0 ? x : 0.01 * x),
  Softplus: softplus,
  Softsign: (x: number) => x / (1 + Math.abs(x)),
  LogSigmoid: (x: number) => -softplus(-x),
  Hardtanh: (x: number) => clamp(x, -1, 1),
  Hardsigmoid: (x: number) => clamp(x / 6 + 0.5, 0, 1),
  Hardswish: (x: number) => x * clamp(x / 6 + 0.5, 0, 1),
  Tanhshrink: (x: number) => x - Math.tanh(x),
  Softshrink: (x: number) => (x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : 0),
  Hardshrink: (x: number) => (Math.abs(x) > 0.5 ? x : 0),
} as const satisfies Readonly<Record<string, (x: number) => number>>

export type ActivationName = keyof typeof ACTIVATIONS

export const isActivation = (name: string): name is ActivationName => Object.hasOwn(ACTIVATIONS, name)
