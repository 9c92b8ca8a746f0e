import { installedVersion } from '../../runtime/package.js'
import type { PackageReport } from './report.js'

const PACKAGES: readonly (readonly [name: string, purpose: string])[] = [
  ['vega', 'pictures (--svg, --report)'],
  ['vega-lite', 'pictures (--svg, --report)'],
  ['@resvg/resvg-js', 'pictures as PNG (--png)'],
  ['h5wasm', 'Keras files (.h5)'],
  ['bullmq', 'queue submit, work and status'],
  ['ioredis', 'queue submit, work and status'],
]

export const optionalPackages = (): PackageReport[] =>
  PACKAGES.map(([name, purpose]) => ({ name, version: installedVersion(name), purpose }))
