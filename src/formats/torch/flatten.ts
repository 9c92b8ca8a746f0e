import { PickleDict, type PickleValue } from '../pickle/values.js'
import { TorchTensor } from './globals.js'

/** What trainers call the weights in a file that holds more (Lightning, DeepSpeed, fairseq, timm …). */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'module', 'net', 'network', 'weights'] as const
/** What stands beside the weights and holds tensors too. */
const NOT_WEIGHTS =
  /^(optimizers?|optimizer_states?|optimizer_state_dict|lr_schedulers?|scheduler|ema|amp|scaler|loops|callbacks|rng_states?)$/
/** What wrapping a module in another one puts before every name (DataParallel, torch.compile, Lightning). */
const MODULE_PREFIXES = ['module.', '_orig_mod.', 'model.'] as const
/** Dicts in dicts. */
const MAX_DEPTH = 8

export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor>
  readonly notes: readonly string[]
}

const holdsTensors = (dict: PickleDict): boolean =>
  [...dict.entries.values()].some((value) => value instanceof TorchTensor)

/** The dict in which the weights are, and the keys that lead there. */
function unwrap(root: PickleDict): { dict: PickleDict; keys: string[] } {
  const keys: string[] = []
  let dict = root
  while (!holdsTensors(dict) && keys.length < MAX_DEPTH) {
    const key = WRAPPERS.find((name) => dict.entries.get(name) instanceof PickleDict)
    if (key === undefined) break
    keys.push(key)
    dict = dict.entries.get(key) as PickleDict
  }
  return { dict, keys }
}

/** Every tensor below `dict`, names joined by dots. Dicts that contain each other are followed once. */
function collect(dict: PickleDict): { tensors: Map<string, TorchTensor>; left: number } {
  const tensors = new Map<string, TorchTensor>()
  const seen = new Set<PickleDict>()
  let left = 0
  const visit = (value: PickleValue, path: readonly string[]): void => {
    if (value instanceof TorchTensor) tensors.set(path.join('.'), value)
    else if (value instanceof PickleDict && !seen.has(value) && path.length < MAX_DEPTH) {
      seen.add(value)
      for (const [key, item] of value.entries) {
        if (typeof key !== 'string' && typeof key !== 'number') left++
        else if (path.length > 0 || !NOT_WEIGHTS.test(String(key)) || item instanceof TorchTensor)
          visit(item, [...path, String(key)])
      }
    } else left++
  }
  visit(dict, [])
  return { tensors, left }
}

/** Takes away what stands before all names alike. */
function stripPrefixes(tensors: ReadonlyMap<string, TorchTensor>): {
  tensors: ReadonlyMap<string, TorchTensor>
  stripped: string
} {
  let current = tensors
  let stripped = ''
  for (;;) {
    const prefix = MODULE_PREFIXES.find((p) => [...current.keys()].every((name) => name.startsWith(p)))
    if (prefix === undefined || current.size === 0) return { tensors: current, stripped }
    current = new Map([...current].map(([name, tensor]) => [name.slice(prefix.length), tensor]))
    stripped += prefix
  }
}

/** Finds the weights in what a file holds, or null where it holds no tensors by name. */
export function flattenStateDict(root: PickleValue): StateDict | null {
  if (!(root instanceof PickleDict)) return null
  const { dict, keys } = unwrap(root)
  const { tensors: found, left } = collect(dict)
  const { tensors, stripped } = stripPrefixes(found)
  return {
    tensors,
    notes: [
      ...(keys.length > 0 ? [`the weights are those under ${keys.join('.')}`] : []),
      ...(stripped === '' ? [] : [`every name begins with ${stripped}, which is left out`]),
      ...(left > 0 ? [`${left} values of the file are no tensors`] : []),
    ],
  }
}
