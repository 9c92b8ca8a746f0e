/**
 * Values that a pickle can build here: plain values, containers, and objects of a host, which alone decides which
 * globals exist. They are data without behaviour; a name in a file is never looked up in the running program.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleSet
  | PickleGlobal
  | PickleObject

export class PickleList {
  readonly items: PickleValue[] = []
}

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A dict. A Map, so that `__proto__` is a key like any other. */
export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>()
}

export class PickleSet {
  readonly items = new Set<PickleValue>()
}

/** Base of what a host builds: tensors, storages, types. */
export abstract class PickleObject {
  abstract readonly kind: string
}

/** Thrown by a host that cannot take what it is given; the machine adds file and byte. */
export class PickleRefusal extends Error {}

/** A global that the host knows. */
export interface GlobalSpec {
  /** Implements `REDUCE` and `NEWOBJ`; absent for a type that is only named. @throws PickleRefusal */
  readonly call?: (args: readonly PickleValue[]) => PickleValue
}

export class PickleGlobal {
  constructor(
    /** `module.name` */
    readonly path: string,
    readonly spec: GlobalSpec,
  ) {}
}

export interface PickleHost {
  /** The global `module.name`, or null if it is forbidden. */
  global(module: string, name: string): GlobalSpec | null
  /** Resolves a persistent id. @throws PickleRefusal */
  persistent(id: PickleValue): PickleValue
}

/** Host of a pickle of plain values and containers. */
export const PLAIN_HOST: PickleHost = {
  global: () => null,
  persistent: () => {
    throw new PickleRefusal('a persistent id where a plain value is expected')
  },
}

/**
 * A key of a dict or an item of a set, which Python hashes.
 * @throws PickleRefusal if it cannot be hashed
 */
export function hashable(value: PickleValue): PickleValue {
  const isChanged = value instanceof PickleList || value instanceof PickleDict || value instanceof PickleSet
  if (isChanged) throw new PickleRefusal('a list, dict or set as the key of a dict or in a set')
  return value
}
