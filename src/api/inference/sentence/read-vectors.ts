import { malformed, unsupported, usage } from '../../../base/errors.js'
import { exists, type FilePort } from '../../../formats/core/file-port.js'
import { join } from '../../../formats/core/paths.js'
import { makeFeatures } from '../../../text/data/features.js'
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.js'
import { MODULES_FILE, readJsonFields, readModuleList, type ModuleList } from '../../open/module-list.js'
import type { OpenedModel } from '../../open/open.js'
import { readModules } from './read-modules.js'
import { NO_PREPARATION, type Pooling, type Preparation, type SentenceModules, type VectorPlan } from './vectors.js'

/** Choices of the user about the vectors of texts. */
export interface VectorOptions {
  /** Pooling instead of the modules of a sentence-transformers folder; without such modules the default is `mean`. */
  readonly pooling?: Pooling
  /** Text put before each text; default that of the folder (`default_prompt_name`), else none. */
  readonly prompt?: string
  /** Name of one of the folder's prompts (`config_sentence_transformers.json`) instead. */
  readonly promptName?: string
}

type Fields = Readonly<Record<string, unknown>>

export const SENTENCE_CONFIG = 'config_sentence_transformers.json'
/** Names of the transformer's settings; the later ones are of older versions. */
export const TRANSFORMER_CONFIGS = [
  'sentence_bert_config.json',
  'sentence_roberta_config.json',
  'sentence_distilbert_config.json',
  'sentence_camembert_config.json',
  'sentence_albert_config.json',
  'sentence_xlm-roberta_config.json',
  'sentence_xlnet_config.json',
] as const

/** Settings that do not change the vectors. */
const HARMLESS = new Set(['attn_implementation', 'torch_dtype', 'dtype', 'device_map', 'trust_remote_code', 'revision'])

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

const positive = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined

/** Settings of the transformer: longest input, lower case. @throws AlbertkitError if it is used in another way */
function readTransformer(files: FilePort, folder: string): { settings: Fields; file: string | null } {
  const file = TRANSFORMER_CONFIGS.map((name) => join(folder, name)).find((path) => exists(files, path)) ?? null
  const settings = file === null ? {} : (readJsonFields(files, file) ?? {})
  const refuse = (field: string): never => {
    throw unsupported(`the setting ${field} of the transformer is not applied`, {
      code: 'architecture-unsupported',
      file: file ?? folder,
      field,
      hint: 'to compute without the modules of sentence-transformers, choose `pooling`',
    })
  }
  const { transformer_task: task = 'feature-extraction', module_output_name: output = 'token_embeddings' } = settings
  if (task !== 'feature-extraction') refuse('transformer_task')
  if (output !== 'token_embeddings') refuse('module_output_name')
  for (const name of ['model_args', 'model_kwargs', 'config_args', 'config_kwargs', 'processing_kwargs'])
    for (const key of Object.keys(fieldsOf(settings[name]))) if (!HARMLESS.has(key)) refuse(`${name}.${key}`)
  for (const name of ['tokenizer_args', 'processor_kwargs'])
    for (const key of Object.keys(fieldsOf(settings[name])))
      if (!HARMLESS.has(key) && key !== 'model_max_length') refuse(`${name}.${key}`)
  return { settings, file }
}

/** `max_seq_length` of the transformer, else `model_max_length` among the tokenizer's arguments. */
const maxLengthOf = (settings: Fields): number | undefined =>
  positive(fieldsOf(settings.processor_kwargs ?? settings.tokenizer_args).model_max_length) ??
  positive(settings.max_seq_length)

/** The prompt that is asked for, or the folder's own. @throws AlbertkitError `usage` if the folder has none so named */
function promptOf(config: Fields, file: string, { prompt, promptName }: VectorOptions): string {
  if (prompt !== undefined && promptName !== undefined)
    throw usage('`prompt` and `promptName` do not go together', { code: 'option-conflict' })
  if (prompt !== undefined) return prompt
  const prompts = fieldsOf(config.prompts)
  const name = promptName ?? config.default_prompt_name
  const found = typeof name === 'string' && Object.hasOwn(prompts, name) ? prompts[name] : undefined
  if (typeof found === 'string') return found
  if (found === null || name === undefined || name === null) return ''
  const names = Object.keys(prompts)
  const hint = names.length === 0 ? 'the folder has no prompts' : `prompts: ${names.join(', ')}`
  if (promptName !== undefined)
    throw usage(`there is no prompt ${promptName}`, { code: 'name-unknown', file, field: 'prompts', hint })
  throw malformed('the default prompt is not among the prompts', {
    code: 'config-invalid',
    file,
    field: 'default_prompt_name',
    hint,
  })
}

/** Tokens of a prompt without the special token at its end, as `Transformer._get_prompt_length` counts them. */
function countPrompt(tokenizer: Tokenizer, prompt: string, maxLength: number): number {
  const { input_ids } = makeFeatures(tokenizer, prompt, null, maxLength)
  const special: readonly (number | null)[] = Object.values(tokenizer.special)
  return input_ids.length - (special.includes(input_ids.at(-1) ?? null) ? 1 : 0)
}

/** Modules of the folder, or the pooling that is asked for. */
async function sentenceOf(
  list: ModuleList | null,
  opened: OpenedModel,
  pooling: Pooling | undefined,
): Promise<{ sentence: SentenceModules | null; steps: readonly string[]; files: readonly string[] }> {
  if (pooling === 'pooled') return { sentence: null, steps: ['pooler_output'], files: [] }
  if (list !== null && pooling === undefined) return readModules(opened.files, list, opened.config.hidden_size)
  const mode = pooling ?? 'mean'
  const sentence = { modes: [mode], includePrompt: true, modules: [], truncate: null }
  return { sentence, steps: [`Pooling ${mode}`], files: [] }
}

/**
 * Reads how the folder of a model makes vectors of texts: `modules.json` of sentence-transformers, its prompts and
 * limits; the mean of the last hidden state if there is no such file.
 * @throws AlbertkitError `unsupported` for a module that albertkit does not apply; `malformed`, `usage`
 */
export async function readVectorPlan(
  opened: OpenedModel,
  tokenizer: Tokenizer,
  options: VectorOptions,
): Promise<VectorPlan> {
  const { files, directory } = opened
  const list = readModuleList(files, directory)
  const home = list?.directory ?? directory
  const configFile = join(home, SENTENCE_CONFIG)
  const config = readJsonFields(files, configFile) ?? {}
  const transformer = list === null ? null : readTransformer(files, join(home, list.modules[0]?.path ?? ''))
  const { sentence, steps, files: moduleFiles } = await sentenceOf(list, opened, options.pooling)
  const maxLength = transformer === null ? undefined : maxLengthOf(transformer.settings)
  const positions = opened.config.max_position_embeddings
  const limit = Math.min(maxLength ?? tokenizer.maxLength ?? positions, positions)
  const prompt = promptOf(config, configFile, options)
  const lowerCase = transformer?.settings.do_lower_case === true && !tokenizer.lowerCase
  const preparation: Preparation =
    prompt === ''
      ? { ...NO_PREPARATION, lowerCase }
      : { prompt, promptTokens: countPrompt(tokenizer, prompt, limit), lowerCase }
  const truncate = options.pooling === undefined ? (positive(config.truncate_dim) ?? null) : null
  return {
    sentence: sentence === null ? null : { ...sentence, truncate },
    preparation,
    maxLength: transformer === null ? undefined : limit,
    steps: [
      ...(lowerCase ? ['lower case'] : []),
      ...(prompt === '' ? [] : [`prompt ${JSON.stringify(prompt)}`]),
      ...steps,
      ...(truncate === null ? [] : [`first ${truncate} elements`]),
    ],
    files: [
      ...(list === null ? [] : [join(home, MODULES_FILE)]),
      ...(exists(files, configFile) ? [configFile] : []),
      ...(transformer?.file == null ? [] : [transformer.file]),
      ...moduleFiles,
    ],
  }
}
