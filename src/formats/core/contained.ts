/**
 * Code of others that reads strangers' bytes may never return, and no signal is heard meanwhile. A host that can stop
 * it installs how with `useContainment`; Node does (src/api/open/containment.ts). Elsewhere the code just runs.
 */
export type Contain = <T>(run: () => T, milliseconds: number) => T

/** Thrown in place of code that did not return in time. */
export class DeadlineError extends Error {}

let contain: Contain = (run) => run()

/** Runs code of others by `how` from now on. */
export const useContainment = (how: Contain): void => {
  contain = how
}

/**
 * Runs synchronous code that may be stopped in the midst of anything, past its `catch` and `finally`: what it used must
 * not be used again then.
 * @throws DeadlineError if it does not return within that time
 */
export const contained: Contain = (run, milliseconds) => contain(run, milliseconds)

const WASM_PAGE = 64 * 1024

/**
 * Runs code that is compiled to WebAssembly with a memory of at most `limit` bytes; larger allocations fail.
 */
export function withMemoryLimit<T>(limit: number, run: () => T): T {
  const { prototype } = WebAssembly.Memory
  const own = Object.getOwnPropertyDescriptor(prototype, 'grow')!
  const grow = own.value as (this: WebAssembly.Memory, pages: number) => number
  Object.defineProperty(prototype, 'grow', {
    ...own,
    value(this: WebAssembly.Memory, pages: number): number {
      if (this.buffer.byteLength + pages * WASM_PAGE > limit) throw new RangeError(`more than ${limit} bytes`)
      return grow.call(this, pages)
    },
  })
  try {
    return run()
  } finally {
    Object.defineProperty(prototype, 'grow', own)
  }
}
