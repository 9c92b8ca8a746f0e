import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import { predictFile } from '../../src/api/inference/predict-file.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { ask, MEDIAPIPE } from './python.js'

/** Metadata of TensorFlow Lite files, read by the tools of TensorFlow Lite, and used by MediaPipe to read text. */

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-metadata-'))
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

interface Answer {
  readonly metadata: { readonly min_parser_version: string }
  readonly packed: readonly string[]
  readonly damaged: string | null
  readonly zipped: Readonly<Record<string, string>>
  readonly classified: readonly Readonly<Record<string, number>>[]
}

/** Letters whose accents MediaPipe keeps and BERT's code drops. */
const ACCENTED = /[\u00c0-\u024f]/

/** Headlines of the bundled model. */
const headlines = readFileSync(join(ZH_NEWS, 'test.tsv'), 'utf8')
  .trim()
  .split('\n')
  .slice(0, 40)
  .map((line) => line.split('\t')[1]!)

const softmax = (scores: readonly number[]): number[] => {
  const powers = scores.map(Math.exp)
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

describe.skipIf(MEDIAPIPE === null)('MediaPipe', { timeout: 120_000 }, () => {
  it.each([false, true])('reads text with a file alone, inline: %s', async (inline) => {
    const out = join(scratch, String(inline))
    await convertModel(ZH_NEWS, out, { targets: ['tflite'], sequence: 32, inline, verify: false })
    const request = { file: join(out, 'tflite/model.tflite'), texts: headlines }
    const { metadata, packed, damaged, zipped, classified } = ask(
      MEDIAPIPE!,
      'read_tflite_metadata.py',
      request,
    ) as Answer
    const beside = (name: string): string => readFileSync(join(ZH_NEWS, name), 'utf8')
    expect(packed).toEqual(['labels.txt', 'vocab.txt'])
    expect(damaged).toBeNull()
    expect(zipped).toEqual({ 'labels.txt': beside('labels.txt'), 'vocab.txt': beside('vocab.txt') })
    expect(metadata.min_parser_version).toBe('1.1.0')
    const labels = beside('labels.txt').trim().split('\n')
    const ours: Readonly<Record<string, number>>[] = []
    const job = { model: ZH_NEWS, input: join(ZH_NEWS, 'test.tsv'), format: 'jsonl', maxSeqLength: 32 } as const
    await predictFile(job, { force: false }, (line) => {
      ours.push((JSON.parse(line) as { probabilities: Record<string, number> }).probabilities)
      return Promise.resolve(ours.length < headlines.length)
    })
    const theirs = classified.map((scores) => softmax(labels.map((label) => scores[label]!)))
    const apart = theirs.map((values, i) =>
      ACCENTED.test(headlines[i]!) ? 0 : Math.max(...labels.map((label, j) => Math.abs(ours[i]![label]! - values[j]!))),
    )
    expect(Math.max(...apart)).toBeLessThan(1e-5)
  })
})
