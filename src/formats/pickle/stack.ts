import type { ErrorCode } from '../../base/error-codes.js'
import type { PickleValue } from './values.js'

/** Open containers, one in another. */
const MAX_MARKS = 1000

/** The stack of a pickle machine, and the stacks that MARK set aside. */
export class PickleStack {
  #values: PickleValue[] = []
  readonly #marks: PickleValue[][] = []

  /** @param fail makes the error of what is wrong */
  constructor(readonly fail: (what: string, code?: ErrorCode) => Error) {}

  /** Values since the last mark. */
  get length(): number {
    return this.#values.length
  }

  /** True if neither values nor marks are left. */
  get isEmpty(): boolean {
    return this.#values.length === 0 && this.#marks.length === 0
  }

  push(value: PickleValue): void {
    this.#values.push(value)
  }

  pop(): PickleValue {
    const value = this.#values.pop()
    if (value === undefined) throw this.fail('an opcode finds the stack empty')
    return value
  }

  top(): PickleValue {
    const value = this.#values[this.#values.length - 1]
    if (value === undefined) throw this.fail('an opcode finds the stack empty')
    return value
  }

  /** The last `length` values, which are taken away. */
  take(length: number): PickleValue[] {
    if (this.#values.length < length) throw this.fail('an opcode finds the stack empty')
    return this.#values.splice(-length)
  }

  mark(): void {
    if (this.#marks.length >= MAX_MARKS) throw this.fail(`containers nested deeper than ${MAX_MARKS}`, 'limit-exceeded')
    this.#marks.push(this.#values)
    this.#values = []
  }

  /** The values since the last MARK, which is taken away. */
  sinceMark(): PickleValue[] {
    const outer = this.#marks.pop()
    if (outer === undefined) throw this.fail('an opcode finds no mark')
    const items = this.#values
    this.#values = outer
    return items
  }
}
