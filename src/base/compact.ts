/**
 * The same values without room for more: V8 gives an array that `push` has made room for 17, which 100,000 shapes of one
 * axis each would fill memory with.
 */
export const compact = <T>(values: readonly T[]): T[] => values.slice()
