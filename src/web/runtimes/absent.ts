import { environment } from '../../base/errors.js'

/** Runtimes and sources that a browser does not have, in place of the modules that open them. */

const absent = (what: string) => (): Promise<never> =>
  Promise.reject(environment(`${what} needs Node`, { code: 'device-missing', hint: 'use the command line for this' }))

export const openBrowser = absent('a runner that starts a browser')
export const openTfjsNode = absent('tfjs-node')
export const hubPlace = absent('a model of the hub')
export const writeDemo = absent('writing a page')
export const urlPlace = absent('a model at an address')
