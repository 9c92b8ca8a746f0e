import { installedVersion } from '../../base/optional-package.js'
import type { PackageReport } from './report.js'

const PACKAGES: readonly (readonly [name: string, purpose: string])[] = [
  ['onnxruntime-node', 'proof of ONNX files; text about 4 × faster'],
  ['onnxruntime-web', 'the same, slower; ONNX in a browser'],
  ['vega', 'pictures (--svg, --report)'],
  ['vega-lite', 'pictures (--svg, --report)'],
  ['@resvg/resvg-js', 'pictures as PNG (--png)'],
  ['h5wasm', 'Keras files (.h5)'],
  ['bullmq', 'queue submit, work and status'],
  ['ioredis', 'queue submit, work and status'],
]

export const optionalPackages = (): PackageReport[] =>
  PACKAGES.map(([name, purpose]) => ({ name, version: installedVersion(name), purpose }))
