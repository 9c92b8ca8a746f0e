import { NameBudget, type LimitError } from '../core/limits.js'
import { PickleDict, type PickleValue } from '../pickle/values.js'
import { TorchTensor } from './globals.js'

/** Keys of the weights in checkpoints that hold more (Lightning, DeepSpeed, fairseq, timm …). */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'module', 'net', 'network', 'weights'] as const
/** Keys of other entries that hold tensors too. */
const NOT_WEIGHTS =
  /^(optimizers?|optimizer_states?|optimizer_state_dict|lr_schedulers?|scheduler|ema|amp|scaler|loops|callbacks|rng_states?)$/
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
function collect(dict: PickleDict, fail: LimitError): { tensors: Map<string, TorchTensor>; left: number } {
  const tensors = new Map<string, TorchTensor>()
  const seen = new Set<PickleDict>()
  // Before a name is joined: one long key may be the prefix of thousands of names.
  const names = new NameBudget(fail)
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
  visit(dict, '', 0)
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
 * Finds the weights in what a file holds, or null if it holds no tensors by name.
 * @param fail makes the error of names that take too much
 */
export function flattenStateDict(root: PickleValue, fail: LimitError): StateDict | null {
  if (!(root instanceof PickleDict)) return null
  const { dict, keys } = unwrap(root)
  const { tensors: found, left } = collect(dict, fail)
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
