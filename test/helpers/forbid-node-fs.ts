import type * as NodeFs from 'node:fs'

const state = { isForbidden: false }

/** Runs `body`, during which every function of `node:fs` throws; a test that uses it mocks `node:fs` by `guarded`. */
export async function withoutNodeFs<T>(body: () => Promise<T>): Promise<T> {
  state.isForbidden = true
  try {
    return await body()
  } finally {
    state.isForbidden = false
  }
}

/** The functions of `fs`, which throw if they are forbidden. */
export function guarded(fs: typeof NodeFs): Record<string, unknown> {
  const entries = Object.entries(fs as unknown as Record<string, unknown>).map(([name, value]) => {
    if (typeof value !== 'function' || /^[A-Z]/.test(name)) return [name, value] as const
    const call = (...args: unknown[]): unknown => {
      if (state.isForbidden) throw new Error(`node:fs ${name} was called`)
      return (value as (...rest: unknown[]) => unknown)(...args)
    }
    return [name, call] as const
  })
  return Object.fromEntries(entries)
}
