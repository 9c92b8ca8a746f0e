import { installedVersion } from '../../runtime/package.js'

/** An optional package that is no runtime, and what it is for. */
export interface PackageReport {
  readonly name: string
  /** Null where it is not installed. */
  readonly version: string | null
  readonly purpose: string
}

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
