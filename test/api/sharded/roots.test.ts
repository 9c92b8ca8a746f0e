import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jobOptions } from '../../../src/api/sharded/job-options.js'
import { Roots } from '../../../src/api/sharded/roots.js'
import { temporary } from '../../helpers/faults.js'

let place: ReturnType<typeof temporary>
const at = (name: string): string => place.at(name)
let roots: Roots
beforeEach(() => {
  place = temporary()
  for (const folder of ['in/model/onnx', 'in/deep', 'in2', 'out', 'secret']) mkdirSync(at(folder), { recursive: true })
  for (const file of ['in/lines.tsv', 'in/model/config.json', 'in2/lines.tsv', 'secret/key', 'in/model/m.ckpt.index'])
    writeFileSync(at(file), 'x')
  symlinkSync(at('secret/key'), at('in/link'))
  symlinkSync(at('secret'), at('in/folder'))
  symlinkSync('../in/lines.tsv', at('in/same'))
  symlinkSync(at('in'), at('way-in'))
  roots = new Roots([at('way-in'), at('out')])
})
afterEach(() => {
  place.remove()
})

const escapes = expect.objectContaining({ code: 'path-escapes', kind: 'malformed' }) as unknown
const refused = (body: () => unknown): unknown => {
  try {
    return body()
  } catch (error) {
    return error
  }
}

describe('folders of a worker', () => {
  it.each([
    'in2/lines.tsv',
    'secret/key',
    'in/link',
    'in/folder/key',
    'in/../secret/key',
    'secret/none',
    'in/folder/none',
  ])('refuse to read %s', (path) => {
    expect(refused(() => roots.input(at(path)))).toEqual(escapes)
  })

  it('give real paths of what is in them', () => {
    expect(roots.input(at('way-in/same'))).toBe(at('in/lines.tsv'))
    expect(roots.input(at('in/deep/../lines.tsv'))).toBe(at('in/lines.tsv'))
    expect(refused(() => roots.input(at('in/none')))).toMatchObject({ code: 'file-missing' })
    expect(refused(() => roots.input(at('in/deep')))).toMatchObject({ code: 'file-not-regular' })
    expect(refused(() => roots.input('/dev/zero'))).toEqual(escapes)
    expect(refused(() => new Roots(['/']).input('/dev/zero'))).toMatchObject({ code: 'file-not-regular' })
  })

  it.each(['in/folder/new', 'in/folder', 'secret/new', 'out/../secret/new', 'in2/new', '../new'])(
    'refuse to write %s',
    (path) => {
      expect(refused(() => roots.output(at(path)))).toEqual(escapes)
    },
  )

  it('give real paths to write to', () => {
    expect(roots.output(at('way-in/deep/new/file'))).toBe(at('in/deep/new/file'))
    expect(roots.output(at('out'))).toBe(at('out'))
  })

  it('hold whole models: no file next to the weights leads outside', () => {
    expect(roots.model(at('in/model'))).toBe(at('in/model'))
    expect(roots.model(at('in/model/m.ckpt'))).toBe(at('in/model/m.ckpt'))
    symlinkSync('../lines.tsv', at('in/model/vocab.txt'))
    symlinkSync('nowhere', at('in/model/gone.txt'))
    expect(roots.model(at('in/model'))).toBe(at('in/model'))
    symlinkSync(at('secret/key'), at('in/model/onnx/labels.txt'))
    writeFileSync(at('in/model/onnx/model.onnx'), 'x')
    for (const path of ['in/model', 'in/model/m.ckpt', 'in/model/config.json', 'in/model/onnx/model.onnx', 'secret'])
      expect(
        refused(() => roots.model(at(path))),
        path,
      ).toEqual(escapes)
  })

  it.each(['onnx/model.onnx', 'tflite/model_int8.tflite', 'tfjs/model.json'])(
    'hold the whole model that %s belongs to',
    (file) => {
      const path = at(`in/model/${file}`)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, 'x')
      expect(roots.model(path)).toBe(path)
      symlinkSync(at('secret/key'), at('in/model/labels.txt'))
      expect(refused(() => roots.model(path))).toEqual(escapes)
    },
  )

  it('must exist; without any, everything is allowed', () => {
    expect(refused(() => new Roots([at('none')]))).toMatchObject({ kind: 'usage' })
    expect(new Roots(undefined).input(at('in/link'))).toBe(at('secret/key'))
  })
})

describe('options of a job', () => {
  const same = (path: string): string => path

  it('are those of a text job, of their types', () => {
    const options = { format: 'tsv', batch: 8, ignore: ['a'], lowerCase: true, config: 'c.json' }
    expect(jobOptions(options, (path) => `/real/${path}`)).toEqual({ ...options, config: '/real/c.json' })
    expect(jobOptions({}, same)).toEqual({ format: 'jsonl' })
  })

  it.each([
    [{ labels: '/etc/passwd' }],
    [{ vocabulary: '/etc/passwd' }],
    [{ threads: 1000 }],
    [{ model: 'x' }],
    [{ force: true }],
    [{ batch: '8' }],
    [{ batch: 1e308 }],
    [{ maxSeqLength: -1 }],
    [{ format: '../x' }],
    [{ ignore: [1] }],
    [{ config: { toString: 'x' } }],
    [JSON.parse('{"__proto__": {"threads": 1}}') as object],
    [{ constructor: 'x' }],
  ])('refuse %j', (options) => {
    expect(refused(() => jobOptions(options as Record<string, unknown>, same))).toMatchObject({
      code: 'record-invalid',
    })
  })
})
