import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface Package {
  readonly version: string
  readonly engines: { readonly node: string }
  readonly homepage?: string
  readonly bugs?: { readonly url?: string }
}

let known: Package | null = null

const ownPackage = (): Package =>
  (known ??= JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Package)

/** The version of albertkit, from its package.json. */
export const albertkitVersion = (): string => ownPackage().version

/** Versions of Node that package.json requires, as `>=20.19`. */
export const nodeRequired = (): string => ownPackage().engines.node

/** Folder of the installed package: of the sources, of dist/ and of the bundles the same number of folders up. */
export const packageFolder = (): string => fileURLToPath(new URL('../../', import.meta.url))

/** Address for reports of bugs, once package.json names one. */
export const issueAddress = (): string | null => ownPackage().bugs?.url ?? null

/** Address of the documentation: the `homepage` of package.json, else the folder that is installed with the code. */
export const documentationAddress = (): string => ownPackage().homepage ?? `${packageFolder()}docs`
