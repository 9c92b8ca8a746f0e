import { NameBudget, type LimitError } from '../core/limits.js'
import { PickleDict, type PickleValue } from '../pickle/values.js'
import { TorchTensor } from './globals.js'

/** Keys of the weights in checkpoints that hold more (Lightning, DeepSpeed, fairseq, timm …). */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'module', 'net', 'network', 'weights'] as const
/** Keys of other entries that hold tensors too. */
const NOT_WEIGHTS =
  /^((optim|optimizers?|opt|scheduler|lr_schedulers?|(grad_)?scaler|amp)(_states?)?(_dict)?|loops|callbacks|rng_states?)$/
/** Keys of moving averages of the weights (timm, Lightning callbacks, `torch_ema`). */
const AVERAGES = /^(ema|(.*_)?ema(_.*)?|model_ema|averaged_model|swa_(model|state_dict)|shadow)$/i
/** Prefix of the names of moving averages, as in files where they lie beside the weights. */
const AVERAGES_PREFIX = 'ema_model.'
/** Prefixes that wrapper modules add to every name (DataParallel, torch.compile, Lightning). */
const MODULE_PREFIXES = ['module.', '_orig_mod.', 'model.'] as const
/** Dicts in dicts: trainers nest two or three. */
const MAX_DEPTH = 8
/** Modules in modules, the outer ones taken off: a module that is compiled, parallel and of Lightning is in three. */
const MAX_WRAPPINGS = 8

export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor>
  readonly notes: readonly string[]
}

const holdsTensors = (dict: PickleDict): boolean =>
  [...dict.entries.values()].some((value) => value instanceof TorchTensor)

/** The dict in which the weights are, the keys that lead there, and what lies beside it. */
interface Unwrapped {
  readonly dict: PickleDict
  readonly keys: readonly string[]
  readonly beside: readonly (readonly [key: string, dict: PickleDict])[]
}

function unwrap(root: PickleDict, wrappers: readonly string[] = WRAPPERS): Unwrapped {
  const keys: string[] = []
  const beside: [string, PickleDict][] = []
  let dict = root
  while (!holdsTensors(dict) && keys.length < MAX_DEPTH) {
    const key = wrappers.find((name) => dict.entries.get(name) instanceof PickleDict)
    if (key === undefined) break
    for (const [name, value] of dict.entries)
      if (name !== key && typeof name === 'string' && value instanceof PickleDict) beside.push([name, value])
    keys.push(key)
    dict = dict.entries.get(key) as PickleDict
  }
  return { dict, keys, beside }
}

/**
 * Every tensor below `dict`, names joined by dots. Dicts that contain each other are followed once.
 * @param names counts each name before it is joined: one long key may be the prefix of thousands
 * @param start what every name begins with
 */
function collect(dict: PickleDict, names: NameBudget, start = ''): { tensors: Map<string, TorchTensor>; left: number } {
  const tensors = new Map<string, TorchTensor>()
  const seen = new Set<PickleDict>()
  let left = 0
  const visit = (dict: PickleDict, path: string, depth: number): void => {
    seen.add(dict)
    for (const [key, item] of dict.entries) {
      const name = typeof key === 'string' || typeof key === 'number' ? String(key) : null
      const isTensor = item instanceof TorchTensor
      if (depth === 0 && !isTensor && name !== null && NOT_WEIGHTS.test(name)) continue
      const isFollowed = item instanceof PickleDict && !seen.has(item) && depth + 1 < MAX_DEPTH
      if (name === null || !(isTensor || isFollowed)) {
        left++
        continue
      }
      names.add(path.length + name.length)
      if (isTensor) tensors.set(path + name, item)
      else visit(item, `${path}${name}.`, depth + 1)
    }
  }
  visit(dict, start, 0)
  return { tensors, left }
}

/** Removes the prefix that all names share. */
function stripPrefixes(tensors: ReadonlyMap<string, TorchTensor>): {
  tensors: ReadonlyMap<string, TorchTensor>
  stripped: string
} {
  const names = [...tensors.keys()]
  let stripped = ''
  for (let i = 0; i < MAX_WRAPPINGS && names.length > 0; i++) {
    const prefix = MODULE_PREFIXES.find((p) => names.every((name) => name.startsWith(p, stripped.length)))
    if (prefix === undefined) break
    stripped += prefix
  }
  if (stripped === '') return { tensors, stripped }
  return { tensors: new Map([...tensors].map(([name, tensor]) => [name.slice(stripped.length), tensor])), stripped }
}

/**
 * Tensors beside the weights: moving averages of them, and other parts of the model, saved under keys of their own.
 */
function collectBeside(
  beside: Unwrapped['beside'],
  weights: ReadonlyMap<string, TorchTensor>,
  names: NameBudget,
): Map<string, TorchTensor> {
  const found = new Map<string, TorchTensor>()
  for (const [key, value] of beside)
    if (AVERAGES.test(key)) {
      const { dict } = unwrap(value, [...WRAPPERS, 'shadow', 'ema_model', 'averaged_model'])
      for (const [name, tensor] of stripPrefixes(collect(dict, names).tensors).tensors)
        if (weights.has(name)) found.set(AVERAGES_PREFIX + name, tensor)
    } else if (!NOT_WEIGHTS.test(key))
      for (const [name, tensor] of collect(value, names, `${key}.`).tensors)
        if (!weights.has(name)) found.set(name, tensor)
  return found
}

/**
 * Finds the weights in what a file holds, or null if it holds no tensors by name.
 * @param fail makes the error of names that take too much
 */
export function flattenStateDict(root: PickleValue, fail: LimitError): StateDict | null {
  if (!(root instanceof PickleDict)) return null
  const { dict, keys, beside } = unwrap(root)
  const names = new NameBudget(fail)
  const { tensors: found, left } = collect(dict, names)
  const { tensors, stripped } = stripPrefixes(found)
  return {
    tensors: new Map([...tensors, ...collectBeside(beside, tensors, names)]),
    notes: [
      ...(keys.length > 0 ? [`the weights are those under ${keys.join('.')}`] : []),
      ...(stripped === '' ? [] : [`every name begins with ${stripped}, which is left out`]),
      ...(left > 0 ? [`${left} values of the file are no tensors`] : []),
    ],
  }
}
