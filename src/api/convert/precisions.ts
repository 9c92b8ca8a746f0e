import { usage } from '../../base/errors.js'
import { PRECISIONS_OF, type Precision, type Target } from '../../export/export.js'
import { FILE_PRECISIONS } from '../../export/checkpoint/rounding.js'

/** One form that a conversion writes. */
export interface FormRequest {
  /** What the manifest calls it: the target, and of further ONNX files the element type too. */
  readonly key: string
  readonly target: Target
  readonly precision: Precision
}

/** The element types that a form can have. */
function ableOf(target: Target): readonly Precision[] {
  if (target === 'tf')
    throw usage('--dtype goes with --to onnx, tfjs and safetensors, not tf', {
      hint: "a TensorFlow checkpoint keeps the source's element types",
    })
  return target === 'safetensors' ? FILE_PRECISIONS : PRECISIONS_OF[target]
}

/**
 * The forms that targets and element types ask for. ONNX can have several element types beside one another, a tfjs
 * folder and a safetensors file have one.
 * @throws AlbertkitError `usage` where a form has no such element type
 */
export function formsOf(targets: readonly Target[], dtypes: readonly Precision[] = []): FormRequest[] {
  const asked = [...new Set(dtypes)]
  return [...new Set(targets)].flatMap((target): FormRequest[] => {
    if (asked.length === 0) return [{ key: target, target, precision: 'f32' }]
    const able = ableOf(target)
    for (const precision of asked)
      if (!able.includes(precision))
        throw usage(`${target} has no ${precision}`, { hint: `${target} has ${able.join(', ')}` })
    if (target !== 'onnx' && asked.length > 1)
      throw usage(`${target} has one element type, not ${asked.join(' and ')}`, {
        hint: `convert to ${target} once for each, into directories of their own`,
      })
    return asked.map((precision) => ({
      key: target === 'onnx' && precision !== 'f32' ? `onnx-${precision}` : target,
      target,
      precision,
    }))
  })
}

/** @throws AlbertkitError `usage` where an option is for an element type or a form that was not asked for */
export function checkPrecisions(
  forms: readonly FormRequest[],
  options: {
    readonly weightsOnly?: boolean
    readonly halfCompute?: boolean
    readonly keepEmbeddings?: boolean
    readonly externalData?: boolean
    readonly opset?: number
    readonly gate?: string
    readonly minAgreement?: number
    readonly verify?: boolean
  },
): void {
  const has = (precision: Precision): boolean =>
    forms.some((form) => form.target === 'onnx' && form.precision === precision)
  if (options.weightsOnly === true && !has('int8')) throw usage('--weights-only is for --to onnx --dtype int8')
  if (options.halfCompute === true && !has('f16')) throw usage('--fp16-compute is for --to onnx --dtype f16')
  if (options.gate !== undefined && !forms.some(({ precision }) => precision !== 'f32'))
    throw usage('--gate is for weights that are rounded: --dtype f16, bf16, int8, uint16 or uint8')
  if (options.gate !== undefined && (options.minAgreement === 0 || options.verify === false))
    throw usage('--gate FILE and a gate that is switched off do not go together')
  const integers: readonly Precision[] = ['int8', 'uint8', 'uint16']
  if (options.keepEmbeddings === true && !forms.some(({ precision }) => integers.includes(precision)))
    throw usage('--keep-embeddings is for --dtype int8, uint8 and uint16')
  if (options.opset !== undefined && !forms.some(({ target }) => target === 'onnx'))
    throw usage('--opset is for --to onnx')
  if (options.externalData === true && !forms.some(({ target }) => target === 'onnx'))
    throw usage('--external-data is for --to onnx')
}
