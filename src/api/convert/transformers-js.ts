import { onnxFileName, type Precision } from '../../export/export.js'

/** transformers.js's names of element types, in the order in which it should take them where it is told nothing. */
const DTYPES: readonly (readonly [Precision, string])[] = [
  ['f32', 'fp32'],
  ['f16', 'fp16'],
  ['int8', 'int8'],
]

/**
 * `transformers.js_config` of a `config.json`: which of the ONNX files to take where nothing is said (in browsers it
 * would look for `model_quantized.onnx`), and which of them have their weights in a file of their own.
 * @param files paths below the output directory
 * @returns null where there is no ONNX file
 */
export function transformersJsConfig(files: readonly string[]): object | null {
  const names = files.filter((path) => path.startsWith('onnx/')).map((path) => path.slice('onnx/'.length))
  const dtype = DTYPES.find(([precision]) => names.includes(onnxFileName(precision)))?.[1]
  if (dtype === undefined) return null
  const external = names.filter((name) => names.includes(`${name}_data`)).sort()
  return {
    dtype,
    ...(external.length === 0
      ? {}
      : { use_external_data_format: Object.fromEntries(external.map((name) => [name, 1])) }),
  }
}
