/** An error as the operating system gives it, known by its code. */
export const systemError = (code: string, path: string): Error & { readonly code: string } =>
  Object.assign(new Error(`${code}: ${path}`), { code })
