import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  analyseWeights,
  benchModel,
  compareLayers,
  convertModel,
  diffModels,
  embedFile,
  evaluateFile,
  examineMachine,
  initModel,
  loadTokenizer,
  modelLayers,
  openModel,
  openSource,
  predictFile,
  runTextShard,
  tokenizeFile,
  verifyModel,
} from '../../src/index.js'
import { ZH_NEWS } from '../helpers/shared.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-abort-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const at = (name: string): string => join(folder, name)
const LINES = join(ZH_NEWS, 'test.tsv')
const JOB = { model: ZH_NEWS, input: LINES, format: 'jsonl', threads: 1 } as const

interface Stop {
  readonly signal: AbortSignal
  readonly onProgress: () => void
}

async function tokens({ signal, onProgress }: Stop): Promise<void> {
  for await (const _ of tokenizeFile(loadTokenizer(join(ZH_NEWS, 'vocab.txt')), LINES, { signal })) onProgress()
}

const put = (): Promise<boolean> => Promise.resolve(true)
/** Everything that takes longer than a second, asked to stop at its first step. */
const WORK: readonly (readonly [string, (stop: Stop) => Promise<unknown>])[] = [
  ['convertModel', (stop) => convertModel(ZH_NEWS, at('out'), { targets: ['onnx', 'tfjs'], ...stop })],
  ['verifyModel', (stop) => verifyModel(ZH_NEWS, null, { runners: ['tfjs-wasm'], ...stop })],
  ['analyseWeights', (stop) => analyseWeights(ZH_NEWS, stop)],
  ['modelLayers', (stop) => modelLayers(ZH_NEWS, stop)],
  ['compareLayers', (stop) => compareLayers([ZH_NEWS, ZH_NEWS], stop)],
  ['diffModels', (stop) => diffModels(ZH_NEWS, ZH_NEWS, stop)],
  ['initModel', (stop) => initModel('albert-base-v2', at('out'), stop)],
  ['examineMachine', (stop) => examineMachine(stop)],
  ['predictFile', (stop) => predictFile(JOB, { force: false }, put, stop)],
  ['embedFile', (stop) => embedFile(JOB, { output: at('vectors.npy'), force: false }, put, stop)],
  ['evaluateFile', (stop) => evaluateFile(JOB, {}, stop)],
  ['runTextShard', (stop) => runTextShard('predict', JOB, { index: 0, count: 1 }, at('out'), stop)],
  ['tokenizeFile', tokens],
]

describe('an aborted signal', () => {
  it.each(WORK)('stops %s, which leaves nothing behind', async (_, work) => {
    const controller = new AbortController()
    let steps = 0
    const stop = {
      signal: controller.signal,
      onProgress: () => {
        steps++
        controller.abort(new Error('enough'))
      },
    }
    await expect(work(stop)).rejects.toMatchObject({
      kind: 'interrupted',
      code: 'interrupted',
      cause: { message: 'enough' },
    })
    expect(steps).toBe(1)
    // A directory of shards stays, for the other shards.
    const left = readdirSync(folder, { recursive: true, withFileTypes: true })
    expect(left.filter((one) => !one.isDirectory()).map(({ name }) => name)).toEqual([])
  })

  it('is seen before anything is done', async () => {
    const signal = AbortSignal.abort()
    await expect(convertModel('absent', at('out'), { targets: ['onnx'], signal })).rejects.toMatchObject({
      code: 'interrupted',
    })
  })

  it('stops benchModel within a second, in the middle of a measurement', async () => {
    const model = mkdtempSync(join(tmpdir(), 'albertkit-abort-bench-'))
    try {
      mkdirSync(join(model, 'x'))
      await convertModel(ZH_NEWS, join(model, 'out'), { targets: ['onnx'], verify: false })
      cpSync(join(model, 'out'), join(model, 'copy'), { recursive: true })
      const controller = new AbortController()
      let from = 0
      const work = benchModel(join(model, 'copy'), {
        runs: 30,
        signal: controller.signal,
        onProgress: () => {
          from ||= performance.now()
          controller.abort()
        },
      })
      await expect(work).rejects.toMatchObject({ code: 'interrupted' })
      expect(from).toBeGreaterThan(0)
      expect(performance.now() - from).toBeLessThan(5000)
    } finally {
      rmSync(model, { recursive: true, force: true })
    }
  })
})

describe('what must be closed', () => {
  it('is closed by using', async () => {
    const bytes = new Uint8Array(1)
    let kept
    {
      using opened = await openModel(ZH_NEWS)
      using source = await openSource(ZH_NEWS)
      kept = [opened.source, source]
      for (const one of kept) one.read('global_step', 0, bytes)
    }
    for (const one of kept)
      expect(() => {
        one.read('global_step', 0, bytes)
      }).toThrow()
  })
})
