import { malformed, unsupported } from '../../../base/errors.js'
import { exists, type FilePort } from '../../../formats/core/file-port.js'
import { openLocated } from '../../../formats/core/open.js'
import { join } from '../../../formats/core/paths.js'
import { elementCount, isFloat, type TensorSource } from '../../../formats/core/source.js'
import { readFloats } from '../../../model/tensors/read.js'
import { readJsonFields, type ListedModule, type ModuleList } from '../../open/module-list.js'
import { isActivation } from './activations.js'
import { POOLING_MODES, type PoolingMode, type SentenceModule, type SentenceModules } from './vectors.js'

/** Reading of the modules after the transformer: their `config.json`, and the weights of those that have some. */

type Fields = Readonly<Record<string, unknown>>

/** Fields of older versions, in the order in which they are concatenated. */
const LEGACY_MODES: Readonly<Record<string, PoolingMode>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
}

/** Classes of the first module. */
const TRANSFORMERS: readonly (string | null)[] = ['Transformer', 'BERT', 'ALBERT']

const WEIGHTS = ['model.safetensors', 'pytorch_model.bin'] as const
/** Files that a module may have in its folder. */
export const MODULE_FILES = ['config.json', ...WEIGHTS] as const

interface Place {
  readonly files: FilePort
  readonly folder: string
  readonly file: string
  readonly fields: Fields
}

/** A module, its width and the words for it. */
interface ReadModule {
  readonly module: SentenceModule | null
  readonly width: number
  readonly step: string
}

const invalid = (message: string, { file }: Place, field: string) =>
  malformed(message, { code: 'config-invalid', file, field })

function poolingModes(place: Place): readonly PoolingMode[] {
  const { fields } = place
  const given = fields.pooling_mode
  if (given === undefined) {
    const modes = Object.entries(LEGACY_MODES).flatMap(([field, mode]) => (fields[field] === true ? [mode] : []))
    return modes.length === 0 ? ['mean'] : modes
  }
  const modes: readonly unknown[] = Array.isArray(given) ? given : [given]
  return modes.map((mode) => {
    const known = POOLING_MODES.find((one) => one === mode)
    if (known !== undefined) return known
    throw unsupported(`the pooling ${String(mode)} is not applied`, {
      code: 'architecture-unsupported',
      file: place.file,
      field: 'pooling_mode',
      hint: `poolings: ${POOLING_MODES.join(', ')}`,
    })
  })
}

/** Reads a tensor whose shape is known. @throws AlbertkitError `malformed` if it is absent or has another shape */
function readTensor(source: TensorSource, name: string, shape: readonly number[]): Float32Array {
  const info = source.tensors.get(name)
  const file = source.files[0] ?? ''
  if (info === undefined)
    throw malformed('the module has no such tensor', { code: 'tensor-missing', file, tensor: name })
  if (!isFloat(info.dtype) || info.shape.join() !== shape.join())
    throw malformed(`the tensor is ${info.dtype} [${info.shape.join(', ')}], not [${shape.join(', ')}]`, {
      code: 'shape-mismatch',
      file,
      tensor: name,
    })
  const values = new Float32Array(elementCount(shape))
  readFloats(source, name, 0, values)
  return values
}

async function withWeights<T>({ files, folder, file }: Place, body: (source: TensorSource) => T): Promise<T> {
  const path = WEIGHTS.map((name) => join(folder, name)).find((one) => exists(files, one))
  if (path === undefined)
    throw malformed(`the module has no weights: ${WEIGHTS.join(' or ')}`, { code: 'file-missing', file })
  const { source } = await openLocated(files, path)
  try {
    return body(source)
  } finally {
    source.close()
  }
}

async function readDense(place: Place, width: number): Promise<ReadModule> {
  const { fields, file } = place
  const { in_features: inputs, out_features: outputs, bias: hasBias = true } = fields
  const { activation_function: path = 'torch.nn.modules.activation.Tanh' } = fields
  if (inputs !== width) throw invalid(`Dense takes ${String(inputs)} numbers, not ${width}`, place, 'in_features')
  if (typeof outputs !== 'number' || !Number.isInteger(outputs) || outputs < 1)
    throw invalid('Dense has no size', place, 'out_features')
  const { module_input_name: input = 'sentence_embedding', module_output_name: output = input } = fields
  if (input !== 'sentence_embedding' || (output ?? input) !== input)
    throw unsupported(`Dense of ${String(input)} is not applied`, {
      code: 'architecture-unsupported',
      file,
      field: 'module_input_name',
    })
  const activation = typeof path === 'string' && path.startsWith('torch.nn.') ? path.split('.').at(-1)! : ''
  if (!isActivation(activation))
    throw unsupported(`Dense has the activation function ${String(path)}, which is not applied`, {
      code: 'architecture-unsupported',
      file,
      field: 'activation_function',
    })
  return withWeights(place, (source) => ({
    module: {
      kind: 'dense',
      inputs: width,
      outputs,
      weight: readTensor(source, 'linear.weight', [outputs, width]),
      bias: hasBias === false ? null : readTensor(source, 'linear.bias', [outputs]),
      activation,
    },
    width: outputs,
    step: `Dense ${width} → ${outputs}, ${activation}`,
  }))
}

function readLayerNorm(place: Place, width: number): Promise<ReadModule> {
  const { dimension } = place.fields
  if (dimension !== width)
    throw invalid(`LayerNorm takes ${String(dimension)} numbers, not ${width}`, place, 'dimension')
  return withWeights(place, (source) => ({
    module: {
      kind: 'layer-norm',
      weight: readTensor(source, 'norm.weight', [width]),
      bias: readTensor(source, 'norm.bias', [width]),
    },
    width,
    step: 'LayerNorm',
  }))
}

type Reader = (place: Place, width: number) => Promise<ReadModule>

const LATER: Readonly<Record<string, Reader>> = {
  Dense: readDense,
  LayerNorm: readLayerNorm,
  Normalize: (_, width) => Promise.resolve({ module: { kind: 'normalize' }, width, step: 'Normalize' }),
  // No dropout outside of training.
  Dropout: (_, width) => Promise.resolve({ module: null, width, step: '' }),
}

function refuse({ type, className }: ListedModule, file: string, why = 'is not applied'): never {
  throw unsupported(`the module ${className ?? type} of sentence-transformers ${why}`, {
    code: 'architecture-unsupported',
    file,
    hint: `applied: Transformer, Pooling, ${Object.keys(LATER).join(', ')}; \`pooling\` computes without modules.json`,
  })
}

/**
 * Reads the modules of a sentence-transformers folder.
 * @param hiddenSize width of the transformer's output
 * @throws AlbertkitError `unsupported` for one that is not applied, `malformed` if its files are damaged
 */
export async function readModules(
  files: FilePort,
  { file, directory, modules }: ModuleList,
  hiddenSize: number,
): Promise<{ sentence: SentenceModules; steps: readonly string[]; files: readonly string[] }> {
  const [transformer, pooling, ...later] = modules
  if (transformer === undefined || !TRANSFORMERS.includes(transformer.className))
    throw unsupported('the first module is not a Transformer', { code: 'architecture-unsupported', file })
  if (pooling === undefined)
    throw unsupported('there is no Pooling after the Transformer', { code: 'architecture-unsupported', file })
  if (pooling.className !== 'Pooling') refuse(pooling, file, 'before the pooling is not applied')
  const placeOf = ({ path }: ListedModule): Place => {
    const folder = join(directory, path)
    const config = join(folder, 'config.json')
    return { files, folder, file: config, fields: readJsonFields(files, config) ?? {} }
  }
  const place = placeOf(pooling)
  if (!exists(files, place.file))
    throw malformed('the pooling has no configuration', { code: 'config-missing', file: place.file })
  const modes = poolingModes(place)
  const read: SentenceModule[] = []
  const steps = [`Pooling ${modes.join(' + ')}${place.fields.include_prompt === false ? ' without the prompt' : ''}`]
  let width = hiddenSize * modes.length
  for (const module of later) {
    const reader = module.className === null ? undefined : LATER[module.className]
    if (reader === undefined) refuse(module, file)
    const one = await reader(placeOf(module), width)
    width = one.width
    if (one.module !== null) read.push(one.module)
    if (one.step !== '') steps.push(one.step)
  }
  const own = modules.slice(1).flatMap(({ path }) => MODULE_FILES.map((name) => join(directory, path, name)))
  return {
    sentence: { modes, includePrompt: place.fields.include_prompt !== false, modules: read, truncate: null },
    steps,
    files: own.filter((path) => exists(files, path)),
  }
}
