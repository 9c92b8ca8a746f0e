import type { DataTable } from '../../report/data-table.js'

/**
 * Flags of the command line by the names of the library's options. Messages of the library name options, in backticks:
 * `opset`; on the command line they must name flags.
 */
export const OPTION_FLAGS: Readonly<Record<string, string>> = {
  accumulate: '--accumulate',
  adapter: '--adapter',
  allowSoftware: '--allow-software',
  batch: '--batch-size',
  batchSize: '--batch-size',
  bisect: '--bisect',
  browser: '--browser',
  card: '--card',
  checksum: '--checksum',
  'checksum: false': '--no-checksum',
  compare: '--compare',
  config: '--config',
  configFile: '--config-file',
  configs: '--config',
  cosine: '--cosine',
  demo: '--demo',
  dropout: '--dropout',
  dtypes: '--dtype',
  ema: '--ema',
  earlierCheckpoint: '--before',
  epochs: '--epochs',
  errors: '--errors',
  externalData: '--external-data',
  force: '--force',
  format: '--format',
  gateInputs: '--gate',
  golden: '--golden',
  halfCompute: '--fp16-compute',
  head: '--head',
  header: '--header',
  ignore: '--ignore',
  inline: '--inline',
  inputFormat: '--input-format',
  'inputFormat: lines': '--input-format lines',
  'inputFormat: tsv': '--input-format tsv',
  keepEmbeddings: '--keep-embeddings',
  labelColumn: '--label-column',
  jobs: '--jobs',
  labels: '--labels',
  layerNormEpsilon: '--layer-norm-epsilon',
  learningRate: '--learning-rate',
  'lowerCase: false': '--cased',
  maxSeqLength: '--max-seq-length',
  mergeLora: '--merge-lora',
  maxP50: '--max-p50',
  metric: '--metric',
  minAccuracy: '--min-accuracy',
  minF1: '--min-f1',
  minAgreement: '--min-agreement',
  models: 'MODEL',
  opset: '--opset',
  optimizer: '--optimizer',
  output: '-o',
  pooling: '--pooling',
  presets: '--preset',
  context: '--context',
  docStride: '--doc-stride',
  maxAnswerLength: '--max-answer-length',
  nullThreshold: '--null-threshold',
  task: '--task',
  prompt: '--prompt',
  promptName: '--prompt-name',
  redis: '--redis',
  referenceModel: '--against',
  resume: '--resume',
  rows: '--batch',
  roots: '--root',
  runner: '--runner',
  runners: '--runner',
  saveGolden: '--save',
  sequence: '--sequence',
  scope: '--scope',
  target: '--to',
  targetArchitecture: '--as',
  targetConfig: '--against',
  targets: '--to',
  text: '--text',
  textBColumn: '--text-b-column',
  textColumn: '--text-column',
  'task: classify': '--task classify',
  threads: '--threads',
  vocabulary: '--vocab',
  warmup: '--warmup',
  writeConfig: '--write-config',
  weightsOnly: '--weights-only',
}

/** Flags that a message of the running command may name. */
interface FlagScope {
  /** Flags of the command itself: `--ignore`, `--no-checksum`, `-o`. */
  readonly own: ReadonlySet<string>
  /** Name of another command that has a flag; null if none has. */
  readonly commandWith: (flag: string) => string | null
}

let scope: FlagScope | null = null

/** Says which command's messages `withFlags` writes from now on. */
export function setFlagScope(next: FlagScope): void {
  scope = next
}

interface FlagInfo {
  readonly char?: string | undefined
  readonly type?: string
  readonly allowNo?: boolean
}

/** Flags as they are typed. */
export const typedFlags = (flags: Readonly<Record<string, FlagInfo>>): ReadonlySet<string> =>
  new Set(
    Object.entries(flags).flatMap(([name, { char, allowNo }]) => [
      `--${name}`,
      ...(allowNo === true ? [`--no-${name}`] : []),
      ...(char === undefined ? [] : [`-${char}`]),
    ]),
  )

/** The flag of an option; that of another command with its name before it, if the running command has no such flag. */
function flagOf(option: string): string | null {
  const flag = Object.hasOwn(OPTION_FLAGS, option) ? OPTION_FLAGS[option]! : null
  const [typed = ''] = flag?.split(' ') ?? []
  if (flag === null || scope === null || !typed.startsWith('-') || scope.own.has(typed)) return flag
  const command = scope.commandWith(typed)
  return command === null ? null : `${command} ${flag}`
}

/** `text` with every option in backticks replaced by its flag. */
export const withFlags = (text: string): string =>
  text.replace(/`(\w+(?:: \w+)?)`/g, (quoted, name: string) => flagOf(name) ?? quoted)

/** A table whose notes name flags, not options of the library. Cells hold what models and files say. */
export const notesWithFlags = (table: DataTable): DataTable =>
  table.notes === undefined ? table : { ...table, notes: table.notes.map((note) => withFlags(note)) }
