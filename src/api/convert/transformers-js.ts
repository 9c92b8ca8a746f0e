import { fileName, GRAPH_LAYOUTS, type Precision } from '../../base/artefact-layout.js'

/** transformers.js's names of element types, in the order in which it should take them if it is told nothing. */
const DTYPES: readonly (readonly [Precision, string])[] = [
  ['f32', 'fp32'],
  ['f16', 'fp16'],
  ['int8', 'int8'],
]

/**
 * `transformers.js_config` of a `config.json`: which of the ONNX files to take if none is named (in browsers it would
 * look for `model_quantized.onnx`), and which of them have their weights in a file of their own.
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
