import * as Flags from '@oclif/core/flags'

/** Flags of every command that reads a model. */
export const modelFlags = {
  config: Flags.string({
    description: 'configuration to use instead of the one beside the weights',
    helpValue: 'FILE',
  }),
  checksum: Flags.boolean({ description: 'verify CRC-32C of table blocks and tensors', default: true, allowNo: true }),
}

/** What the flags mean to the library. */
export const openOptions = (flags: { config?: string | undefined; checksum: boolean }) => ({
  ...(flags.config === undefined ? {} : { config: flags.config }),
  checksum: flags.checksum,
})
