/**
 * The parts of zod that are used, behind one module, so that the build can bundle them alone: all of zod, imported
 * file by file, costs 50 ms of start time.
 */
export {
  array,
  boolean,
  describe,
  discriminatedUnion,
  enum as oneOf,
  extend,
  gte,
  int,
  literal,
  lte,
  minLength,
  nullable,
  number,
  object,
  optional,
  record,
  regex,
  strictObject,
  string,
  tuple,
  union,
  unknown,
} from 'zod/mini'
export type { infer as Infer } from 'zod/mini'
