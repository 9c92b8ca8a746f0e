import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ROOT, run } from '../helpers/run.js'

/** The fuzzer itself; CI runs it on every reader. */
const fuzz = (...args: readonly string[]) => run(process.execPath, [join(ROOT, 'scripts/fuzz.js'), ...args])

/** Mutants of a reader that were read and refused, from what the fuzzer prints. */
const countsOf = (stdout: string, reader: string): readonly number[] =>
  (new RegExp(`^${reader}\\s+\\d+ mutants, (\\d+) read, (\\d+) refused$`, 'm').exec(stdout) ?? []).slice(1).map(Number)

it('damages files by the rules of their format, and finds nothing wrong', async () => {
  const readers = ['safetensors', 'bundle', 'torch-zip', 'jsonl']
  const { code, stdout } = await fuzz(
    ...readers.flatMap((reader) => ['--reader', reader]),
    ...['--mutants', '200', '--seconds', '60'],
  )
  expect([code, stdout]).toEqual([0, expect.stringContaining('0 findings')])
  for (const reader of readers) {
    const [read = 0, refused = 0] = countsOf(stdout, reader)
    expect(read + refused, reader).toBe(200)
    // Were lengths and checksums left wrong, hardly any mutant would be read; were nothing damaged, none refused.
    expect(read, reader).toBeGreaterThan(5)
    if (reader !== 'jsonl') expect(refused, reader).toBeGreaterThan(50)
  }
})

it('lists the readers if one is unknown', async () => {
  const { code, stderr } = await fuzz('--reader', 'gguf')
  expect(code).toBe(2)
  const formats = [
    'bundle',
    'v1',
    'v1-sliced',
    'saved-model',
    'graph-def',
    'safetensors',
    'sharded',
    'torch-zip',
    'torch-legacy',
  ]
  const others = ['pickle', 'hdf5', 'keras', 'onnx', 'tfjs', 'tflite', 'npz', 'zip', 'tar', 'tar.gz', 'spiece']
  const texts = ['vocabulary', 'tokenizer.json', 'tfrecord', 'csv', 'tsv', 'jsonl', 'squad', 'config', 'model']
  expect(stderr).toContain([...formats, ...others, ...texts].join(', '))
})
