/**
 * Flags of the command line by the names of the library's options. Messages below commands speak of options, in
 * backticks: `opset`; on the command line they are to speak of flags.
 */
const FLAGS: Readonly<Record<string, string>> = {
  adapter: '--adapter',
  allowSoftware: '--allow-software',
  as: '--as',
  browser: '--browser',
  dtypes: '--dtype',
  externalData: '--external-data',
  force: '--force',
  gate: '--gate',
  halfCompute: '--fp16-compute',
  keepEmbeddings: '--keep-embeddings',
  minAgreement: '--min-agreement',
  opset: '--opset',
  runners: '--runner',
  targets: '--to',
  weightsOnly: '--weights-only',
}

/** `text` with every option in backticks replaced by its flag. */
export const withFlags = (text: string): string =>
  text.replace(/`(\w+)`/g, (quoted, name: string) => (Object.hasOwn(FLAGS, name) ? FLAGS[name]! : quoted))
