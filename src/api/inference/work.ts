import { QUICK_FLOPS } from '../../runtime/quick-flops.js'
import type { TextInput } from './window.js'
import type { WorkerPlan } from './window-worker.js'

/** Upper limit on the tokens of a text: each is a character at least, but for the special ones. */
const mostTokens = (input: TextInput): number =>
  'input_ids' in input ? input.input_ids.length : input[0].length + (input[1]?.length ?? 0) + 3

/** Upper limit on the floating-point operations of `rows` of these texts, each as long as the longest. */
export function mostFlops(
  inputs: readonly TextInput[],
  rows: number,
  { maxLength, flopsPerToken }: Pick<WorkerPlan, 'maxLength' | 'flopsPerToken'>,
): number {
  const longest = inputs.reduce((most, input) => Math.max(most, mostTokens(input)), 0)
  return rows * Math.min(maxLength, longest) * flopsPerToken
}

/** Floating-point operations that a model's runtime computes within about a quarter of a second. */
export const quickFlops = ({ runner }: Pick<WorkerPlan, 'runner'>): number =>
  runner === 'onnxruntime' ? QUICK_FLOPS.native : QUICK_FLOPS.wasm
