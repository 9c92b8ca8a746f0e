import { defineConfig } from 'vitest/config'

// Each way to install albertkit, from the packed tarball, with the registry's packages: minutes, and much disk.
export default defineConfig({
  test: {
    include: ['test/install/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
