import { ERROR_CODES, type ErrorCode } from '../base/error-codes.js'
import * as z from '../vendor/zod.js'

const codes = Object.keys(ERROR_CODES) as ErrorCode[]

/** Document of an error: what any command prints with `--json` if it fails. */
export const errorSchema = z.strictObject({
  ok: z.literal(false),
  error: z.strictObject({
    kind: z.oneOf(['usage', 'malformed', 'unsupported', 'output', 'environment', 'check', 'interrupted', 'unexpected']),
    code: z
      .oneOf([...codes, 'unexpected'])
      .check(z.describe('what went wrong: a closed list, stable across versions; `unexpected` for a bug')),
    message: z.string(),
    file: z.optional(z.string()),
    tensor: z.optional(z.string()),
    offset: z.optional(z.int()),
    field: z.optional(z.string()),
    hint: z.optional(z.string()),
  }),
})
