import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // The longest test takes 50 s on two cores that do nothing else; a busy machine must not make it fail.
    testTimeout: 400_000,
    hookTimeout: 120_000,
    // Else vitest takes what a command prints before @oclif/test can capture it.
    disableConsoleIntercept: true,
  },
})
