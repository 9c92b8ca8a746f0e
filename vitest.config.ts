import { defineConfig } from 'vitest/config'

/** Rooms whose tests open no whole model and start no process: they answer while one types. */
const UNIT = '{api,base,compare,export,files,formats,lint,model,report,sharding,text}'

const shared = {
  pool: 'forks' as const,
  // The longest test takes 50 s on two cores that do nothing else; a busy machine must not make it fail.
  testTimeout: 400_000,
  hookTimeout: 120_000,
  // Else vitest takes what a command prints before @oclif/test can capture it.
  disableConsoleIntercept: true,
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { ...shared, name: 'unit', include: [`test/${UNIT}/**/*.test.ts`] } },
      {
        test: {
          ...shared,
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: [`test/${UNIT}/**`, 'test/oracle/**', 'test/install/**'],
        },
      },
    ],
  },
})
