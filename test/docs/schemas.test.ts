import { expect, it } from 'vitest'
import { toJSONSchema } from 'zod'
import { SCHEMAS } from '../../src/schemas/schemas.js'

// docs/schemas is what users of --json rely on. A change shows here and belongs in CHANGELOG.md.
it.each(Object.entries(SCHEMAS))('docs/schemas/%s.schema.json', async (name, schema) => {
  const document = { ...toJSONSchema(schema), $id: `urn:albertkit:schema:${name}` }
  const text = `${JSON.stringify(document, null, 2)}\n`
  await expect(text).toMatchFileSnapshot(`../../docs/schemas/${name}.schema.json`)
})
