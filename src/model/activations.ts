/** Element-wise functions that occur in configurations; `gelu_tanh` is the tanh approximation. */
export const ACTIVATIONS = ['gelu_tanh', 'gelu_erf', 'relu', 'swish', 'tanh', 'linear'] as const
export type Activation = (typeof ACTIVATIONS)[number]

/** `hidden_act` as TensorFlow's code understands it: its `gelu` is the tanh form (modeling.py `gelu`). */
export const TF_ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: 'gelu_tanh',
  relu: 'relu',
  tanh: 'tanh',
  linear: 'linear',
}

/** modeling_google_fast.py knows one more. */
export const FAST_ACTIVATIONS: Readonly<Record<string, Activation>> = { ...TF_ACTIVATIONS, swish: 'swish' }

/** `hidden_act` as transformers understands it (activations.py). */
export const HF_ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: 'gelu_erf',
  gelu_python: 'gelu_erf',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_accurate: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_python_tanh: 'gelu_tanh',
  relu: 'relu',
  silu: 'swish',
  swish: 'swish',
  tanh: 'tanh',
  linear: 'linear',
}

/** Functions that transformers has and the forward pass here has not. */
export const FOREIGN_ACTIVATIONS = [
  'gelu_10',
  'laplace',
  'leaky_relu',
  'mish',
  'prelu',
  'quick_gelu',
  'relu2',
  'relu6',
  'sigmoid',
  'xielu',
]
