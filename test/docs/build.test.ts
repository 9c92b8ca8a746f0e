import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { buildConfigSchema } from '../../src/schemas/build-config.js'
import { ROOT } from '../helpers/run.js'

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const schema = JSON.parse(read('docs/schemas/config.schema.json')) as object
const published = new Ajv2020({ strict: false }).compile(schema)
const document = read('docs/build.md')
const [, example = ''] = /^```json\n(.*?)^```$/ms.exec(document) ?? []

describe('docs/schemas/config.schema.json, as editors read it', () => {
  it('takes the example of docs/build.md, and so does the build', () => {
    expect(published(JSON.parse(example))).toBe(true)
    expect(buildConfigSchema.safeParse(JSON.parse(example)).success).toBe(true)
  })

  it.each([
    [{ models: { a: { source: 'x', target: ['onnx'] } } }],
    [{ models: { a: { source: 'x', targets: ['onxx'] } } }],
    [{ models: { a: { targets: ['onnx'] } } }],
    [{ models: { '../a': { source: 'x', targets: ['onnx'] } } }],
    [{ models: { 'a b': { source: 'x', targets: ['onnx'] } } }],
    [{ models: { a: { source: 'x', targets: ['onnx'], budgets: { size: '5 mb' } } } }],
    [{ models: { a: { source: 'x', targets: ['onnx'], budgets: { accuracy: 2 } } } }],
    [{ defaults: { source: 'x' } }],
    [{ flags: { convert: { dtype: {} } } }],
  ])('refuses %j, as the build does', (value) => {
    expect(published(value)).toBe(false)
    expect(buildConfigSchema.safeParse(value).success).toBe(false)
  })

  it('takes names in any language', () => {
    const value = { models: { 新闻分类: { source: 'x', targets: ['onnx'] } } }
    expect([published(value), buildConfigSchema.safeParse(value).success]).toEqual([true, true])
  })

  it('tells editors what fields are for', () => {
    const text = JSON.stringify(schema)
    for (const said of ['element types of its own after a colon', 'relative to the configuration file', 'hf:org/name'])
      expect(text).toContain(said)
  })
})
