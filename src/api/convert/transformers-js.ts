import { fileName, GRAPH_LAYOUTS, type Precision } from '../../base/artefact-layout.js'

/** Element types and their names in transformers.js, in order of preference. */
const DTYPES: readonly (readonly [Precision, string])[] = [
  ['f32', 'fp32'],
  ['f16', 'fp16'],
  ['int8', 'int8'],
  ['int4', 'q4'],
]

/**
 * Value of `transformers.js_config` in `config.json`: the default ONNX file (in browsers the default would be
 * `model_quantized.onnx`), and the files whose weights are in an external-data file.
 * @param files paths below the output directory
 * @returns null if there is no ONNX file
 */
export function transformersJsConfig(files: readonly string[]): object | null {
  const layout = GRAPH_LAYOUTS.onnx
  const folder = `${layout.folder}/`
  const names = files.filter((path) => path.startsWith(folder)).map((path) => path.slice(folder.length))
  const dtype = DTYPES.find(([precision]) => names.includes(fileName(layout, precision)))?.[1]
  if (dtype === undefined) return null
  const external = names.filter((name) => names.includes(`${name}_data`)).sort()
  return {
    dtype,
    ...(external.length === 0
      ? {}
      : { use_external_data_format: Object.fromEntries(external.map((name) => [name, 1])) }),
  }
}
