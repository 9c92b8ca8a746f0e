import { defineConfig } from 'vitest/config'

// What Stryker runs for each mutant of `npm run mutation`: tests of model/ and of a reader that answer in milliseconds.
export default defineConfig({
  test: {
    include: ['test/model/**/*.test.ts', 'test/formats/safetensors/**/*.test.ts', 'test/formats/core/json.test.ts'],
    exclude: ['test/model/reference/product.test.ts', 'test/model/names/identify.limits.test.ts'],
    pool: 'threads',
    testTimeout: 60_000,
  },
})
