import {
  PickleDict,
  PickleGlobal,
  PickleList,
  PickleObject,
  PickleRefusal,
  PickleSet,
  PickleTuple,
  type GlobalSpec,
  type PickleHost,
  type PickleValue,
} from '../pickle/values.js'
import { BYTES, DTYPE_NAMES, STORAGE_TYPES, type ElementType } from './types.js'

/**
 * The globals that a PyTorch file of weights needs, and nothing else: the functions that put tensors together
 * (torch/_utils.py), the names of storages and types, and containers.
 */

/** torch itself allows 64 dimensions. */
const MAX_RANK = 64

/** Elements in the file, one behind another, that tensors share. */
export class TorchStorage extends PickleObject {
  readonly kind = 'storage'
  constructor(
    readonly key: string,
    readonly type: ElementType,
    /** Bytes of the whole storage. */
    readonly bytes: number,
    /** Start of a view within it, in bytes. */
    readonly viewOffset: number,
    /** True if the storage has no element type of its own and each tensor gives one. */
    readonly untyped: boolean,
  ) {
    super()
  }
}

export class TorchTensor extends PickleObject {
  readonly kind = 'tensor'
  constructor(
    readonly storage: TorchStorage,
    readonly type: ElementType,
    /** Of the first element, in elements from the start of the storage. */
    readonly offset: number,
    readonly shape: readonly number[],
    /** In elements. */
    readonly strides: readonly number[],
  ) {
    super()
  }
}

class StorageClass extends PickleObject {
  readonly kind = 'storage class'
  constructor(
    readonly type: ElementType,
    readonly untyped: boolean,
  ) {
    super()
  }
}

const isCount = (value: PickleValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function counts(value: PickleValue | undefined, what: string): readonly number[] {
  if (!(value instanceof PickleTuple) || value.items.length > MAX_RANK || !value.items.every(isCount))
    throw new PickleRefusal(`${what} of a tensor is no tuple of whole numbers`)
  return value.items
}

function tensor(
  storage: PickleValue | undefined,
  offset: PickleValue | undefined,
  size: PickleValue | undefined,
  stride: PickleValue | undefined,
  type?: ElementType,
): TorchTensor {
  if (!(storage instanceof TorchStorage)) throw new PickleRefusal('a tensor without a storage')
  if (!isCount(offset)) throw new PickleRefusal('the offset of a tensor is no whole number')
  const shape = counts(size, 'the size')
  const strides = counts(stride, 'the stride')
  if (shape.length !== strides.length) throw new PickleRefusal('size and stride of a tensor differ in rank')
  if (storage.untyped && type === undefined) throw new PickleRefusal('a tensor of an untyped storage without a type')
  return new TorchTensor(storage, type ?? storage.type, offset, shape, strides)
}

/** `_rebuild_parameter(data, requires_grad, backward_hooks)`: the tensor in it. */
const parameter: GlobalSpec = {
  call: ([data]) => {
    if (!(data instanceof TorchTensor)) throw new PickleRefusal('a parameter that holds no tensor')
    return data
  },
}

/** `_rebuild_tensor_v3(storage, offset, size, stride, requires_grad, backward_hooks, dtype, metadata)`. */
const tensorV3: GlobalSpec = {
  call: ([storage, offset, size, stride, , , dtype]) => {
    const type = dtype instanceof PickleGlobal ? dtypes.get(dtype.spec) : undefined
    if (type === undefined) throw new PickleRefusal('a tensor whose dtype is none')
    return tensor(storage, offset, size, stride, type)
  },
}

/** `_rebuild_from_type_v2(function, type, arguments, state)`: a tensor with Python attributes, which are ignored. */
const fromType: GlobalSpec = {
  call: ([callable, , args]) => {
    if (!(callable instanceof PickleGlobal) || !(args instanceof PickleTuple))
      throw new PickleRefusal('a tensor of a type that cannot be put together')
    // Anything else, OrderedDict for one, copies what it is given: not by a way round the machine's count of work.
    if (!MAKERS.has(callable.spec)) throw new PickleRefusal(`${callable.path} makes no tensor`)
    return callable.spec.call!(args.items)
  },
}

/** `OrderedDict()` and Python 2's `OrderedDict([[key, value], …])`. */
const orderedDict: GlobalSpec = {
  call: ([pairs]) => {
    const dict = new PickleDict()
    if (pairs === undefined) return dict
    if (!(pairs instanceof PickleList)) throw new PickleRefusal('an ordered dict of something that is no list')
    for (const pair of pairs.items) {
      const items = pair instanceof PickleList || pair instanceof PickleTuple ? pair.items : []
      if (items.length !== 2) throw new PickleRefusal('an ordered dict of something that are no pairs')
      dict.entries.set(items[0]!, items[1]!)
    }
    return dict
  },
}

const setOf: GlobalSpec = {
  call: ([list]) => {
    const set = new PickleSet()
    if (list instanceof PickleList) for (const item of list.items) set.items.add(item)
    return set
  },
}

const size: GlobalSpec = { call: ([dims]) => new PickleTuple(counts(dims, 'the size')) }
/** `torch.device('cpu')`: the device of a saved tensor does not matter here. */
const device: GlobalSpec = { call: () => null }
const layout: GlobalSpec = { call: () => null }
const typeOnly: GlobalSpec = {}

const plainTensor: GlobalSpec = { call: ([storage, offset, size, stride]) => tensor(storage, offset, size, stride) }
/** Functions that make a tensor, in a time that does not depend on their arguments. */
const MAKERS: ReadonlySet<GlobalSpec> = new Set([plainTensor, tensorV3, parameter])

const ALLOWED = new Map<string, GlobalSpec>([
  ['torch._utils._rebuild_tensor', plainTensor],
  ['torch._utils._rebuild_tensor_v2', plainTensor],
  ['torch._utils._rebuild_tensor_v3', tensorV3],
  ['torch._utils._rebuild_parameter', parameter],
  ['torch._utils._rebuild_parameter_with_state', parameter],
  ['torch._tensor._rebuild_from_type_v2', fromType],
  ['torch.nn.parameter.Parameter', typeOnly],
  ['torch.Tensor', typeOnly],
  ['torch._tensor.Tensor', typeOnly],
  ['torch.Size', size],
  ['torch.device', device],
  ['torch.serialization._get_layout', layout],
  ['collections.OrderedDict', orderedDict],
  ['builtins.set', setOf],
  ['__builtin__.set', setOf],
])

const storageClasses = new Map<GlobalSpec, StorageClass>()
const dtypes = new Map<GlobalSpec, ElementType>()

function allowStorage(path: string, storage: StorageClass): void {
  const spec: GlobalSpec = {}
  ALLOWED.set(path, spec)
  storageClasses.set(spec, storage)
}

for (const [name, type] of Object.entries(STORAGE_TYPES))
  for (const module of ['torch', 'torch.cuda']) allowStorage(`${module}.${name}`, new StorageClass(type!, false))
for (const name of ['UntypedStorage', '_UntypedStorage'])
  allowStorage(`torch.storage.${name}`, new StorageClass(BYTES, true))
for (const [name, type] of Object.entries(DTYPE_NAMES)) {
  const spec: GlobalSpec = {}
  ALLOWED.set(`torch.${name}`, spec)
  dtypes.set(spec, type!)
}

/** A view of an older file: `(key, offset, size)` in elements, or None. */
function viewOffset(view: PickleValue | undefined, width: number): number {
  if (view === undefined || view === null) return 0
  const offset = view instanceof PickleTuple ? view.items[1] : undefined
  if (!isCount(offset)) throw new PickleRefusal('a view of a storage without an offset')
  return offset * width
}

/** Makes the storages and tensors of one file. */
export class TorchHost implements PickleHost {
  /** Every storage that the pickle names, once. */
  readonly storages = new Map<string, TorchStorage>()

  global(module: string, name: string): GlobalSpec | null {
    return ALLOWED.get(`${module}.${name}`) ?? null
  }

  /** @param idLength values of the id of a storage: five, and its view in files before PyTorch 1.6 */
  constructor(readonly idLength: 5 | 6) {}

  /** `('storage', class, key, location, elements[, view])` (torch/serialization.py). */
  persistent(id: PickleValue): PickleValue {
    const [what, type, key, , elements, view] = id instanceof PickleTuple ? id.items : []
    const isStorage = what === 'storage' && id instanceof PickleTuple && id.items.length === this.idLength
    if (!isStorage) throw new PickleRefusal('a persistent id that is no storage')
    const storageClass = type instanceof PickleGlobal ? storageClasses.get(type.spec) : undefined
    if (storageClass === undefined) throw new PickleRefusal('a storage of no known type')
    if (typeof key !== 'string' || !isCount(elements)) throw new PickleRefusal('a storage without key and length')
    const { type: element, untyped } = storageClass
    const bytes = elements * element.width
    if (!Number.isSafeInteger(bytes)) throw new PickleRefusal(`a storage of ${elements} elements`)
    const known = this.storages.get(key)
    if (known !== undefined && (known.type !== element || known.bytes !== bytes))
      throw new PickleRefusal(`storage ${key} is described twice and differently`)
    const storage = new TorchStorage(key, element, bytes, viewOffset(view, element.width), untyped)
    if (known === undefined) this.storages.set(key, storage)
    return storage
  }
}
