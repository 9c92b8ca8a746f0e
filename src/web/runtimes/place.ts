import { environment } from '../../base/errors.js'

/** Where the runtimes lie that pages load when they are used: a folder beside the page, or elsewhere. */
let base = './runtimes/'

/** Names the folder of the runtimes from now on: an address that ends with `/`. */
export function useRuntimes(address: string): void {
  base = address
}

/** Address of a runtime's file. */
export const runtimeUrl = (path: string): string => new URL(path, new URL(base, globalThis.location.href)).href

/**
 * Imports a module of the runtimes.
 * @param what needs it, for the message
 * @throws AlbertkitError `environment` `package-missing` if it is not there
 */
export async function importRuntime<T>(path: string, what: string): Promise<T> {
  const url = runtimeUrl(path)
  try {
    return (await import(/* @vite-ignore */ url)) as T
  } catch (cause) {
    throw environment(`${what} could not be loaded from ${url}`, {
      code: 'package-missing',
      hint: 'serve the runtimes beside the page, as `npm run build:web` puts them there',
      cause,
    })
  }
}
