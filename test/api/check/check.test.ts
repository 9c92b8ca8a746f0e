import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkDirectory } from '../../../src/api/check/check.js'
import { convertModel } from '../../../src/api/convert/convert.js'
import { benchModel } from '../../../src/api/bench/bench.js'
import { openEmbedder } from '../../../src/api/inference/embed.js'
import { inspectModel } from '../../../src/api/inspect/inspect.js'
import { verifyModel } from '../../../src/api/verify/verify.js'
import { openModel } from '../../../src/api/open/open.js'
import { BASE } from '../../helpers/sentence-folders.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-check-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const CONVERTED = join(folder, 'converted')
beforeAll(async () => {
  await convertModel(BASE, CONVERTED, { targets: ['onnx', 'tfjs', 'tf'], verify: false })
})

let made = 0
/** A copy of the converted model, with a change. */
function changed(edit: (directory: string) => void = () => undefined): string {
  const directory = join(folder, String(made++))
  cpSync(CONVERTED, directory, { recursive: true })
  edit(directory)
  return directory
}

function flip(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(path, bytes)
}

const problems = async (directory: string): Promise<unknown[]> => {
  const { files, unlisted } = await checkDirectory(directory)
  return [
    ...files.filter(({ status }) => status !== 'ok').map(({ name, artefact, status }) => [name, artefact, status]),
    ...unlisted.map(({ name, isModel }) => [name, isModel]),
  ]
}

describe('a converted directory', () => {
  it('is as it was written, every file of it', async () => {
    const report = await checkDirectory(CONVERTED)
    expect(report.ok).toBe(true)
    expect(report.unlisted).toEqual([])
    const names = report.files.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['onnx/model.onnx', 'tfjs/model.json', 'tf/model.ckpt.index']))
    expect(names).toEqual(expect.arrayContaining(['config.json', 'tokenizer.json', 'vocab.txt', 'tf/bert_config.json']))
    expect(report.files.every(({ status }) => status === 'ok')).toBe(true)
  })

  it.each<[string, (directory: string) => void, unknown[]]>([
    ['a changed byte', (d) => { flip(join(d, 'onnx/model.onnx')) }, ['onnx/model.onnx', 'onnx', 'sha256']],
    ['another size', (d) => { truncateSync(join(d, 'tfjs/group1-shard1of1.bin'), 9) }, ['tfjs/group1-shard1of1.bin', 'tfjs', 'size']],
    ['a missing file', (d) => { rmSync(join(d, 'tf/checkpoint')) }, ['tf/checkpoint', 'tf', 'missing']],
    ['a changed configuration', (d) => { appendFileSync(join(d, 'config.json'), ' ') }, ['config.json', null, 'size']],
    ['a further model', (d) => { writeFileSync(join(d, 'onnx/model_fp16.onnx'), 'x') }, ['onnx/model_fp16.onnx', true]],
    ['a model of a further target', (d) => { mkdirSync(join(d, 'tflite')); writeFileSync(join(d, 'tflite/model_int8.tflite'), 'x') }, ['tflite/model_int8.tflite', true]],
  ])('fails for %s', async (_, edit, problem) => {
    const directory = changed(edit)
    expect((await checkDirectory(directory)).ok).toBe(false)
    const found = await problems(directory)
    expect(found).toHaveLength(1)
    expect(found[0]).toEqual(problem[0] === 'tf/checkpoint' ? [problem[0], expect.anything(), 'missing'] : problem)
  }) // prettier-ignore

  it('may have other files next to the models', async () => {
    const directory = changed((d) => {
      writeFileSync(join(d, 'README.md'), 'mine')
    })
    expect(await problems(directory)).toEqual([['README.md', false]])
    expect((await checkDirectory(directory)).ok).toBe(true)
  })

  it('keeps the files of earlier conversions in its manifest', async () => {
    const directory = changed()
    await convertModel(BASE, directory, { targets: ['safetensors'], verify: false, force: true })
    expect((await checkDirectory(directory)).ok).toBe(true)
    expect(await problems(directory)).toEqual([])
  })

  it('needs a manifest', async () => {
    await expect(checkDirectory(join(folder, 'none'))).rejects.toMatchObject({ kind: 'usage', code: 'file-missing' })
    await expect(checkDirectory(BASE)).rejects.toMatchObject({ kind: 'malformed', code: 'manifest-invalid' })
    const damaged = changed((d) => {
      writeFileSync(join(d, 'albertkit.json'), '[]')
    })
    await expect(checkDirectory(damaged)).rejects.toMatchObject({ code: 'manifest-invalid' })
  })
})

describe('a changed artefact', () => {
  const onnx = (): string =>
    changed((d) => {
      flip(join(d, 'onnx/model.onnx'))
    })
  const refused = {
    kind: 'malformed',
    code: 'manifest-invalid',
    place: { file: expect.stringMatching(/model\.onnx$/) as string },
  }

  it('is refused by what reads it, and read all the same without checksums', async () => {
    const directory = onnx()
    const file = join(directory, 'onnx/model.onnx')
    await expect(openModel(file)).rejects.toMatchObject(refused)
    await expect(openEmbedder(directory, { runner: 'onnxruntime' })).rejects.toMatchObject(refused)
    await expect(convertModel(file, join(folder, 'never'), { targets: ['tf'] })).rejects.toMatchObject(refused)
    await expect(benchModel(directory, { runs: 1, lengths: [8], batches: [1] })).rejects.toMatchObject(refused)
    const opened = await openModel(file, { checksum: false })
    opened.close()
    const verified = await verifyModel(BASE, directory, { runners: ['onnxruntime'] })
    expect(verified.notes.join()).toMatch(/onnx\/model.onnx is not the file that was converted/)
    const report = await inspectModel(file)
    expect(report.notes.join()).toMatch(/cannot be run.*SHA-256/)
  })

  it('is noted if only files next to it have changed', async () => {
    const directory = changed((d) => {
      appendFileSync(join(d, 'config.json'), '\n')
      appendFileSync(join(d, 'tf/bert_config.json'), '\n')
    })
    const opened = await openModel(join(directory, 'onnx/model.onnx'))
    opened.close()
    expect(opened.leftOut).toEqual([expect.stringMatching(/^not as they were .*: config\.json$/)])
    // The configuration of a checkpoint is a file of that artefact.
    await expect(openModel(join(directory, 'tf'))).rejects.toMatchObject({ code: 'manifest-invalid' })
  })

  it('does not concern the others of its directory', async () => {
    const opened = await openModel(join(onnx(), 'tfjs'))
    opened.close()
    expect(opened.source.format).toContain('tfjs')
  })
})
