import type { ErrorCode } from '../../base/error-codes.js'
import { unsupported, type AlbertkitError } from '../../base/errors.js'
import type { ByteCursor } from './cursor.js'
import { OP } from './opcodes.js'
import { PickleStack } from './stack.js'
import { decimalOf, longOf, pythonFloat, quotedText, rawUnicode, text, unicode } from './texts.js'
import {
  PickleDict,
  PickleGlobal,
  PickleList,
  PickleRefusal,
  PickleSet,
  PickleTuple,
  hashable,
  type PickleHost,
  type PickleValue,
} from './values.js'

/**
 * A pickle machine (CPython's Lib/pickletools.py describes the opcodes) for protocols 0 to 5 that runs nothing: a
 * global is an entry of the host's list or an error that names it, and there is no other way. Every opcode takes a
 * byte or more of the file and time in proportion to it, so no pickle can hang it.
 */

const HIGHEST_PROTOCOL = 5
/** Opcodes, and items that a call copies: a state dict takes some 50 a tensor. It bounds the memory of stack and tuples. */
const MAX_WORK = 1_000_000
/** Lists, dicts and sets; a state dict has one a tensor (its hooks). */
const MAX_CONTAINERS = 100_000
/** Everything that a state dict keeps in its memo: strings, tuples, types. */
const MAX_MEMO = 500_000
/** The longest name of a tensor is a few hundred bytes. */
const MAX_STRING_BYTES = 1024 * 1024
/** All strings of one pickle together. */
const MAX_STRINGS_BYTES = 32 * 1024 * 1024
/** The magic number of an old PyTorch file has ten bytes. */
const MAX_LONG_BYTES = 256

export class PickleMachine {
  readonly #cursor: ByteCursor
  readonly #host: PickleHost
  readonly #memo = new Map<number, PickleValue>()
  readonly #stack = new PickleStack((what, code) => this.#fail(what, code))
  #opStart = 0
  #strings = 0
  #work = 0
  #containers = 0

  constructor(cursor: ByteCursor, host: PickleHost) {
    this.#cursor = cursor
    this.#host = host
  }

  #fail(what: string, code: ErrorCode = 'header-invalid'): AlbertkitError {
    return this.#cursor.fail(what, this.#opStart, code)
  }

  /**
   * Reads one pickle, up to and with its STOP.
   * @throws AlbertkitError `malformed`, or `unsupported` naming the first global that is not on the list
   */
  run(): PickleValue {
    for (;;) {
      this.#charge(1)
      this.#opStart = this.#cursor.position
      const op = this.#cursor.byte()
      if (op === OP.STOP) {
        const value = this.#stack.pop()
        if (!this.#stack.isEmpty) throw this.#fail('the pickle stops with values left over')
        return value
      }
      try {
        const value = this.#value(op)
        if (value === undefined) this.#effect(op)
        else this.#stack.push(value)
      } catch (error) {
        if (error instanceof PickleRefusal) throw this.#fail(error.message)
        throw error
      }
    }
  }

  #charge(work: number): void {
    this.#work += work
    if (this.#work > MAX_WORK) throw this.#fail(`more than ${MAX_WORK} opcodes in one pickle`, 'limit-exceeded')
  }

  /** A container that was just made. */
  #fresh<T extends PickleList | PickleDict | PickleSet>(container: T): T {
    if (++this.#containers > MAX_CONTAINERS)
      throw this.#fail(`more than ${MAX_CONTAINERS} containers in one pickle`, 'limit-exceeded')
    return container
  }

  #raw(width: 1 | 4 | 8): Uint8Array {
    const length = this.#cursor.uint(width)
    this.#strings += length
    if (this.#strings > MAX_STRINGS_BYTES)
      throw this.#fail(`more than ${MAX_STRINGS_BYTES} bytes of strings`, 'limit-exceeded')
    return this.#cursor.bytes(length, MAX_STRING_BYTES)
  }

  #line(): string {
    const line = this.#cursor.line()
    this.#strings += line.length
    if (this.#strings > MAX_STRINGS_BYTES)
      throw this.#fail(`more than ${MAX_STRINGS_BYTES} bytes of strings`, 'limit-exceeded')
    return text(line)
  }

  #remember(key: number): void {
    if (this.#memo.size >= MAX_MEMO) throw this.#fail(`more than ${MAX_MEMO} values in the memo`, 'limit-exceeded')
    this.#memo.set(key, this.#stack.top())
  }

  #recall(key: number | bigint): PickleValue {
    const value = this.#memo.get(Number(key))
    if (value === undefined) throw this.#fail(`the memo has no value ${key}`)
    return value
  }

  #global(module: string, name: string): PickleGlobal {
    const spec = this.#host.global(module, name)
    const path = `${module}.${name}`
    if (spec !== null) return new PickleGlobal(path, spec)
    throw unsupported(`the pickle asks for the global ${path.slice(0, 200)}, which is no tensor and no container`, {
      code: 'global-refused',
      file: this.#cursor.file.path,
      offset: this.#opStart,
      hint: 'nothing of it was run; save the weights alone: torch.save(model.state_dict(), …)',
    })
  }

  #call(callable: PickleValue, args: readonly PickleValue[]): PickleValue {
    if (!(callable instanceof PickleGlobal)) throw this.#fail('the pickle calls something that is no global')
    if (callable.spec.call === undefined) throw this.#fail(`the pickle calls ${callable.path}, which is only a type`)
    // What a call copies may be in the file once and be given to it many times.
    for (const arg of args) if (arg instanceof PickleList || arg instanceof PickleTuple) this.#charge(arg.items.length)
    const value = callable.spec.call(args)
    return value instanceof PickleDict || value instanceof PickleSet ? this.#fresh(value) : value
  }

  #args(value: PickleValue): readonly PickleValue[] {
    if (!(value instanceof PickleTuple)) throw this.#fail('arguments that are no tuple')
    return value.items
  }

  #setItems(target: PickleValue, items: readonly PickleValue[]): PickleValue {
    if (!(target instanceof PickleDict)) throw this.#fail('items are set in something that is no dict')
    if (items.length % 2 !== 0) throw this.#fail('a key without a value')
    for (let i = 0; i < items.length; i += 2) target.entries.set(hashable(items[i]!), items[i + 1]!)
    return target
  }

  #append(target: PickleValue, items: readonly PickleValue[]): PickleValue {
    if (target instanceof PickleList) for (const item of items) target.items.push(item)
    else if (target instanceof PickleSet) for (const item of items) target.items.add(hashable(item))
    else throw this.#fail('items are added to something that is no list')
    return target
  }

  /** State of an object: that of an ordered dict is its attributes, such as `_metadata`, which hold no weights. */
  #build(): void {
    this.#stack.pop()
    if (!(this.#stack.top() instanceof PickleDict)) throw this.#fail('the pickle sets state on a value that has none')
  }

  /** The value that an opcode pushes; undefined if it pushes none. */
  #value(op: number): PickleValue | undefined {
    // Null is a value: None.
    const plain = this.#plain(op)
    if (plain !== undefined) return plain
    return this.#text(op) ?? this.#structure(op)
  }

  /** None, booleans and numbers. */
  #plain(op: number): PickleValue | undefined {
    const cursor = this.#cursor
    switch (op) {
      case OP.NONE:
        return null
      case OP.NEWTRUE:
        return true
      case OP.NEWFALSE:
        return false
      case OP.INT:
        return this.#int(this.#line())
      case OP.LONG:
        return decimalOf(this.#line().replace(/L$/, ''))
      case OP.BININT:
        return cursor.int32()
      case OP.BININT1:
        return cursor.byte()
      case OP.BININT2:
        return cursor.uint(2)
      case OP.LONG1:
        return longOf(cursor.bytes(cursor.byte(), MAX_LONG_BYTES))
      case OP.LONG4:
        return longOf(cursor.bytes(cursor.uint(4), MAX_LONG_BYTES))
      case OP.FLOAT:
        return pythonFloat(this.#line())
      case OP.BINFLOAT:
        return cursor.float64()
      default:
        return undefined
    }
  }

  /** Texts and byte strings. */
  #text(op: number): PickleValue | undefined {
    switch (op) {
      case OP.STRING:
        return quotedText(this.#line())
      case OP.UNICODE:
        return rawUnicode(this.#line())
      case OP.BINSTRING:
        return text(this.#raw(4))
      case OP.SHORT_BINSTRING:
        return text(this.#raw(1))
      case OP.BINUNICODE:
        return unicode(this.#raw(4))
      case OP.SHORT_BINUNICODE:
        return unicode(this.#raw(1))
      case OP.BINUNICODE8:
        return unicode(this.#raw(8))
      case OP.SHORT_BINBYTES:
        return this.#raw(1)
      case OP.BINBYTES:
        return this.#raw(4)
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        return this.#raw(8)
      default:
        return undefined
    }
  }

  /** Containers, values from the memo, and results of calls; None may be among them. */
  #structure(op: number): PickleValue | undefined {
    const cursor = this.#cursor
    switch (op) {
      case OP.EMPTY_LIST:
        return this.#fresh(new PickleList())
      case OP.EMPTY_DICT:
        return this.#fresh(new PickleDict())
      case OP.EMPTY_SET:
        return this.#fresh(new PickleSet())
      case OP.LIST:
        return this.#append(this.#fresh(new PickleList()), this.#stack.sinceMark())
      case OP.DICT:
        return this.#setItems(this.#fresh(new PickleDict()), this.#stack.sinceMark())
      case OP.FROZENSET:
        return this.#append(this.#fresh(new PickleSet()), this.#stack.sinceMark())
      case OP.EMPTY_TUPLE:
        return new PickleTuple([])
      case OP.TUPLE:
        return new PickleTuple(this.#stack.sinceMark())
      case OP.TUPLE1:
        return this.#tuple(1)
      case OP.TUPLE2:
        return this.#tuple(2)
      case OP.TUPLE3:
        return this.#tuple(3)
      case OP.DUP:
        return this.#stack.top()
      case OP.GET:
        return this.#recall(decimalOf(this.#line()))
      case OP.BINGET:
        return this.#recall(cursor.byte())
      case OP.LONG_BINGET:
        return this.#recall(cursor.uint(4))
      case OP.GLOBAL:
        return this.#namedGlobal()
      case OP.STACK_GLOBAL:
        return this.#stackGlobal()
      case OP.REDUCE:
      case OP.NEWOBJ:
        return this.#reduce()
      case OP.NEWOBJ_EX:
        return this.#withKeywords()
      case OP.INST:
        return this.#call(this.#namedGlobal(), this.#stack.sinceMark())
      case OP.OBJ:
        return this.#object(this.#stack.sinceMark())
      case OP.PERSID:
        return this.#host.persistent(this.#line())
      case OP.BINPERSID:
        return this.#host.persistent(this.#stack.pop())
      default:
        return undefined
    }
  }

  #effect(op: number): void {
    const cursor = this.#cursor
    switch (op) {
      case OP.PROTO:
        this.#protocol(cursor.byte())
        break
      // Frames only help a reader that buffers; the opcodes in them are read like any others.
      case OP.FRAME:
        cursor.uint(8)
        break
      case OP.MARK:
        this.#stack.mark()
        break
      // In protocols that had no POP_MARK, popping an empty frame takes its mark.
      case OP.POP:
        if (this.#stack.length > 0) this.#stack.pop()
        else this.#stack.sinceMark()
        break
      case OP.POP_MARK:
        this.#stack.sinceMark()
        break
      case OP.APPEND: {
        const item = this.#stack.pop()
        this.#append(this.#stack.top(), [item])
        break
      }
      case OP.APPENDS:
      case OP.ADDITEMS: {
        const items = this.#stack.sinceMark()
        this.#append(this.#stack.top(), items)
        break
      }
      case OP.SETITEM:
      case OP.SETITEMS: {
        const items = op === OP.SETITEM ? this.#stack.take(2) : this.#stack.sinceMark()
        this.#setItems(this.#stack.top(), items)
        break
      }
      case OP.PUT:
        this.#remember(Number(decimalOf(this.#line())))
        break
      case OP.BINPUT:
        this.#remember(cursor.byte())
        break
      case OP.LONG_BINPUT:
        this.#remember(cursor.uint(4))
        break
      case OP.MEMOIZE:
        this.#remember(this.#memo.size)
        break
      case OP.BUILD:
        this.#build()
        break
      case OP.EXT1:
      case OP.EXT2:
      case OP.EXT4:
        throw this.#fail('a global by its number in a registry of extensions, which a file cannot bring along')
      case OP.NEXT_BUFFER:
      case OP.READONLY_BUFFER:
        throw this.#fail('a buffer outside the pickle', 'format-unsupported')
      default:
        throw this.#fail(`no pickle opcode: 0x${op.toString(16).padStart(2, '0')}`)
    }
  }

  #protocol(protocol: number): void {
    if (protocol > HIGHEST_PROTOCOL)
      throw this.#fail(`pickle protocol ${protocol}; 0 to 5 are known`, 'format-unsupported')
  }

  #int(line: string): PickleValue {
    return line === '01' ? true : line === '00' ? false : decimalOf(line)
  }

  #namedGlobal(): PickleGlobal {
    const module = this.#line()
    return this.#global(module, this.#line())
  }

  #stackGlobal(): PickleGlobal {
    const name = this.#stack.pop()
    const module = this.#stack.pop()
    if (typeof name !== 'string' || typeof module !== 'string') throw this.#fail('a global whose name is no string')
    return this.#global(module, name)
  }

  #reduce(): PickleValue {
    const args = this.#args(this.#stack.pop())
    return this.#call(this.#stack.pop(), args)
  }

  #withKeywords(): PickleValue {
    const keywords = this.#stack.pop()
    if (!(keywords instanceof PickleDict) || keywords.entries.size > 0) throw this.#fail('keyword arguments')
    return this.#reduce()
  }

  #object([callable, ...args]: readonly PickleValue[]): PickleValue {
    return this.#call(callable ?? null, args)
  }

  #tuple(length: number): PickleTuple {
    return new PickleTuple(this.#stack.take(length))
  }
}
