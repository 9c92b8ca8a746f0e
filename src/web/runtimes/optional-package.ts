import { environment } from '../../base/errors.js'

/** `base/optional-package.ts` in a browser, which has no folder of packages: what it needs comes as a runtime. */

function absent(name: string): never {
  throw environment(`${name} is not there in a browser`, { code: 'package-missing' })
}

export const isAbsent = (): boolean => false
export const requirePackage = absent
export const importPackage = absent
export const importOptional = absent
export const findPackage = (): null => null
export const installedVersion = (): null => null
export const versionAt = (): null => null
export const named = (name: string): string => name
