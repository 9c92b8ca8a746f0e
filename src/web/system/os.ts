/** `node:os` in a browser. */

export const availableParallelism = (): number => globalThis.navigator.hardwareConcurrency
export const homedir = (): string => '/'
export const hostname = (): string => 'browser'
export const tmpdir = (): string => '/tmp'
/** Unknown to a page: as much as any machine of today has. */
export const freemem = (): number => 2 ** 31
export const constants = { signals: { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } }
