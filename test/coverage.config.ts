import { defineConfig } from 'vitest/config'

/** Rooms that read, map, write and judge models. */
const ROOMS = ['formats', 'model', 'export', 'compare']

/** Tests of whole models that reach most of these rooms; the others reach the same lines again. */
const WHOLE = [
  'artefact-sources',
  'bert4keras',
  'checkpoint-precision',
  'config-file',
  'container-goldens',
  'convert-checkpoints',
  'damaged-files',
  'diff',
  'export-precision',
  'goldens',
  'google-fast',
  'hdf5',
  'keras-names',
  'keras',
  'layers',
  'leftover',
  'leftover-fixtures',
  'meta-graph',
  'one-class',
  'round-trip',
  'tf-models',
  'tflite',
  'verify',
  'weights',
]

/**
 * `npm run coverage`: lines that tests reach in their own process. Those of commands, browsers and attacks start others, in
 * which lines are not counted.
 */
export default defineConfig({
  test: {
    include: [`test/{${ROOMS.join(',')}}/**/*.test.ts`, `test/integration/{${WHOLE.join(',')}}.test.ts`],
    exclude: ['test/**/*.fuzz.test.ts', 'test/formats/bit-flips.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 400_000,
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
    coverage: {
      provider: 'v8',
      include: ROOMS.map((room) => `src/${room}/**/*.ts`),
      reporter: ['text', 'json-summary', 'html'],
      // Each room has its own bound, so that one does not hide another.
      thresholds: Object.fromEntries(ROOMS.map((room) => [`src/${room}/**/*.ts`, { lines: 92 }])),
    },
  },
})
