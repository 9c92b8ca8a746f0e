import * as Flags from '@oclif/core/flags'

/** Flags of every command that tokenizes. */
export const tokenizerFlags = {
  cased: Flags.boolean({
    description: "keep case and accents; the default is what the model's tokenizer_config.json says, else lower case",
    allowNo: true,
  }),
}

export const casedOptions = ({ cased }: { cased?: boolean | undefined }): { lowerCase?: boolean } =>
  cased === undefined ? {} : { lowerCase: !cased }
