import * as Flags from '@oclif/core/flags'
import { usage } from '../errors.js'

/** Flags of every command that reads a model. */
export const modelFlags = {
  config: Flags.string({
    description: 'configuration to use instead of the one beside the weights',
    helpValue: 'FILE',
  }),
  checksum: Flags.boolean({ description: 'verify CRC-32C of table blocks and tensors', default: true, allowNo: true }),
}

/** An absolute bound, a number of at least 0. */
export const boundFlag = Flags.custom<number>({
  description: 'absolute bound instead of the usual ones',
  helpValue: 'N',
  parse: (text) => {
    const bound = Number(text)
    if (text.trim() !== '' && Number.isFinite(bound) && bound >= 0) return Promise.resolve(bound)
    return Promise.reject(usage(`--atol takes a number of at least 0, not ${text}`))
  },
})

/** What the flags mean to the library. */
export const openOptions = (flags: { config?: string | undefined; checksum: boolean }) => ({
  ...(flags.config === undefined ? {} : { config: flags.config }),
  checksum: flags.checksum,
})
