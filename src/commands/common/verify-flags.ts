import type { VerifyOptions } from '../../api/verify/verify.js'
import { omitUndefined } from '../../base/omit-undefined.js'

/** Options of `verifyModel` for the flags of `verify`. */
export const verifyOptions = (flags: {
  readonly runner?: string[] | undefined
  readonly golden?: string | undefined
  readonly atol?: number | undefined
  readonly gpu: boolean
  readonly adapter?: string | undefined
  readonly 'allow-software': boolean
  readonly browser?: string | undefined
  readonly layers: boolean
  readonly bisect: boolean
  readonly text?: string | undefined
  readonly against?: string | undefined
  readonly save?: string | undefined
  readonly svg?: string | undefined
  readonly png?: string | undefined
  readonly force: boolean
}): VerifyOptions => {
  const { runner, svg, png, 'allow-software': allowSoftware, golden, atol, gpu, adapter, browser, ...rest } = flags
  const { bisect, text, against, save, force } = rest
  // A picture shows layers.
  const layers = flags.layers || svg !== undefined || png !== undefined
  return omitUndefined({
    runners: runner,
    golden,
    atol,
    gpu,
    allowSoftware,
    adapter,
    browser,
    layers,
    bisect,
    text,
    referenceModel: against,
    saveGolden: save,
    force,
  })
}
