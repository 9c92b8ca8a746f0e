/** `base/version.ts` in a browser, with what the build puts in. */

declare const ALBERTKIT_PACKAGE: {
  readonly version: string
  readonly homepage?: string
  readonly bugs?: { readonly url?: string }
}

export const albertkitVersion = (): string => ALBERTKIT_PACKAGE.version
export const documentationAddress = (): string => ALBERTKIT_PACKAGE.homepage ?? 'docs'
export const issueAddress = (): string | null => ALBERTKIT_PACKAGE.bugs?.url ?? null
