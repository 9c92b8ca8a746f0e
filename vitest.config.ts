import { defineConfig } from 'vitest/config'

/** Rooms whose tests open no whole model and start no process: they answer while one types. */
const UNIT = '{api,base,compare,export,files,formats,lint,model,report,sharding,text}'

/** Tests of these rooms that take seconds: exhaustive damage, processes, threads, deadlines, whole programs. */
const LONG = [
  'test/**/*.fuzz.test.ts',
  'test/formats/bit-flips.test.ts',
  'test/lint/public-types.test.ts',
  'test/formats/hdf5/*.test.ts',
  'test/formats/tflite/source.test.ts',
  'test/files/commit-journal.test.ts',
  'test/sharding/queue/*.test.ts',
  'test/api/sharded/*.test.ts',
  'test/export/weights/weight-stream.test.ts',
  'test/text/tokenizers/load.long.test.ts',
]

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
      // One process for several files: modules are loaded once, which takes a third of the time away. Nothing in these
      // tests mocks a module.
      { test: { ...shared, name: 'unit', isolate: false, include: [`test/${UNIT}/**/*.test.ts`], exclude: LONG } },
      {
        test: {
          ...shared,
          name: 'integration',
          include: [
            ...LONG,
            'test/*.test.ts',
            `test/!(${UNIT.slice(1, -1).replaceAll(',', '|')}|oracle|install)/**/*.test.ts`,
          ],
          exclude: ['test/oracle/**', 'test/install/**'],
        },
      },
    ],
  },
})
