import * as z from '../vendor/zod.js'

/** Document of `check`. */

export const checkSchema = z.strictObject({
  ok: z.boolean(),
  directory: z.string(),
  albertkit: z.string().check(z.describe('version that wrote the manifest')),
  files: z.array(
    z.strictObject({
      name: z.string(),
      artefact: z.nullable(z.string()).check(z.describe('key in the manifest; null beside the artefacts')),
      status: z.oneOf(['ok', 'missing', 'size', 'sha256', 'unhashed']),
    }),
  ),
  unlisted: z.array(
    z.strictObject({
      name: z.string(),
      isModel: z.boolean().check(z.describe('named like a model file, so that programs would load it')),
    }),
  ),
  notes: z.array(z.string()).check(z.describe('contents of the source that the conversion left out')),
})
