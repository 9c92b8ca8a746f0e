import { readFileSync } from 'node:fs'

interface Package {
  readonly version: string
  readonly engines: { readonly node: string }
}

let known: Package | null = null

const ownPackage = (): Package =>
  (known ??= JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Package)

/** The version of albertkit, from its package.json. */
export const albertkitVersion = (): string => ownPackage().version

/** The versions of Node that it asks for there, as `>=20.19`. */
export const nodeRequired = (): string => ownPackage().engines.node
