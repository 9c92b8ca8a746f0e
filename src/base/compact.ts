/**
 * The same values without room for more: an array that `push` has made has room for 17 in V8, and 100,000 shapes of one
 * axis each would fill memory with it.
 */
export const compact = <T>(values: readonly T[]): T[] => values.slice()
