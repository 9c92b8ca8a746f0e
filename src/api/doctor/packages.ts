import { installedVersion } from '../../base/optional-package.js'
import type { PackageReport } from './report.js'

const PACKAGES: readonly (readonly [name: string, purpose: string])[] = [
  ['onnxruntime-node', 'proof of ONNX files; text about 4 × faster'],
  ['onnxruntime-web', 'the same, slower; ONNX in a browser'],
  ['@litertjs/core', 'proof of TensorFlow Lite files, in Node and in a browser'],
  ['vega', 'charts (SVG, HTML pages)'],
  ['vega-lite', 'charts (SVG, HTML pages)'],
  ['@resvg/resvg-js', 'charts as PNG'],
  ['h5wasm', 'Keras files (.h5)'],
  ['bullmq', 'queue submit, work and status'],
  ['ioredis', 'queue submit, work and status'],
]

export const optionalPackages = (): PackageReport[] =>
  PACKAGES.map(([name, purpose]) => ({ name, version: installedVersion(name), purpose }))
