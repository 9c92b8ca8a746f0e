import { ESLint } from 'eslint'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

// Proves that the import rule of eslint.rooms.js can say no. Only that rule runs, so no types are needed.
const eslint = new ESLint({
  cwd: ROOT,
  ruleFilter: ({ ruleId }) => /^house\/rooms$|no-restricted-(imports|globals|syntax)$/.test(ruleId),
  overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
})

async function errorsIn(file: string, code: string): Promise<number> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: `${ROOT}src/${file}` })
  expect(result!.fatalErrorCount).toBe(0)
  return result!.errorCount
}

describe('the import rule', () => {
  it.each([
    ['formats/x.ts', "import { x } from '../model/config.js'"],
    ['formats/deep/x.ts', "import { x } from '../../export/x.js'"],
    ['model/x.ts', "import { x } from '../formats/safetensors/source.js'"],
    ['model/x.ts', "export * from '../export/x.js'"],
    ['model/x.ts', "export const x = await import('../runtime/tfjs/tfjs.js')"],
    ['model/x.ts', "import type { X } from '../commands/common/base.js'"],
    ['export/x.ts', "import { x } from '../formats/safetensors/source.js'"],
    ['export/x.ts', "import { x } from '../compare/compare.js'"],
    ['runtime/x.ts', "import { x } from '../compare/compare.js'"],
    ['training/x.ts', "import { x } from '../runtime/runner.js'"],
    ['training/x.ts', "import { x } from '../export/export.js'"],
    ['compare/x.ts', "import { x } from '../report/escape.js'"],
    ['api/x.ts', "import { x } from '../commands/common/base.js'"],
    ['report/x.ts', "import { x } from '../compare/compare.js'"],
    ['model/x.ts', "import { x } from '../index.js'"],
    ['text/data/x.ts', "import { x } from '../../files/hash.js'"],
    ['sharding/x.ts', "import { x } from '../export/export.js'"],
    ['files/x.ts', "import { x } from '../formats/core/source.js'"],
    ['base/x.ts', "import { x } from '../files/hash.js'"],
    ['commands/x.ts', "import { Flags } from '@oclif/core'"],
    ['commands/x.ts', "import { WINDOW } from '../sharding/line-index.js'"],
    ['commands/deep/x.ts', "export const x = await import('../../text/data/lines.js')"],
    ['commands/x.ts', "import { HEADS } from '../model/outputs.js'"],
    ['api/x.ts', "import { x } from '../report/table.js'"],
    ['api/deep/x.ts', "export const x = await import('../../report/chart/render.js')"],
    ['sharding/queue/x.ts', "import { x } from '../../text/data/lines.js'"],
    ['text/data/x.ts', "import { x } from '../../formats/tf-record.js'"],
    ['model/forward.ts', "import { x } from './tensors/read.js'"],
    ['model/config.ts', "import type { X } from './names/row.js'"],
    ['model/tensors/x.ts', "import { x } from '../names/match.js'"],
    ['model/names/x.ts', "import { x } from '../load/build.js'"],
    ['model/load/x.ts', "import { x } from '../accounting/slots.js'"],
    ['model/reference/x.ts', "import type { X } from '../names/match.js'"],
    ['model/new-floor/x.ts', "import { x } from '../tensors/read.js'"],
    ['model/accounting/x.ts', "import { x } from '../random/init.js'"],
  ])('src/%s must not %s', async (file, code) => {
    expect(await errorsIn(file, code)).toBe(1)
  })

  it.each([
    ['formats/x.ts', "import { malformed } from '../base/errors.js'"],
    ['formats/deep/x.ts', "import { x } from '../core/source.js'"],
    ['model/x.ts', "import { x } from '../formats/core/source.js'"],
    ['model/deep/x.ts', "import { x } from '../../formats/core/source.js'"],
    ['export/x.ts', "import { x } from '../model/config.js'"],
    ['export/x.ts', "import { onnx } from '../proto/onnx.js'"],
    ['runtime/x.ts', "export const x = await import('../model/forward.js')"],
    ['api/x.ts', "import { x } from '../formats/core/open.js'"],
    ['report/html/x.ts', "import { x } from '../text/verify.js'"],
    ['sharding/x.ts', "import { x } from '../files/atomic-file.js'"],
    ['files/x.ts', "import type { FilePort } from '../formats/core/file-port.js'"],
    ['text/data/x.ts', "import { exists } from '../../formats/core/file-port.js'"],
    ['report/x.ts', "import type { X } from '../compare/compare.js'"],
    ['commands/x.ts', "import { x } from '../api/inspect/inspect.js'"],
    ['commands/x.ts', "import { x } from '../report/table.js'"],
    ['commands/x.ts', "import { x } from '../base/errors.js'"],
    ['commands/x.ts', "import { TASK_NAMES } from '../model/tasks.js'"],
    ['commands/x.ts', "import type { X } from '../text/data/examples.js'"],
    ['api/x.ts', "import { toJsonText } from '../base/json-text.js'"],
    ['text/data/x.ts', "import { x } from '../tokenizers/load.js'"],
    ['commands/x.ts', "import * as Flags from '@oclif/core/flags'"],
    ['model/outputs.ts', "import { x } from './tasks.js'"],
    ['model/tensors/x.ts', "import type { X } from '../albert.js'"],
    ['model/load/x.ts', "import { x } from '../names/match.js'"],
    ['model/random/x.ts', "import { x } from '../accounting/slots.js'"],
    ['model/names/x.ts', "import { x } from './row.js'"],
  ])('src/%s may %s', async (file, code) => {
    expect(await errorsIn(file, code)).toBe(0)
  })
})

describe('the rule of code that runs in browsers', () => {
  it.each([
    ['formats/core/x.ts', "import { readFileSync } from 'node:fs'"],
    ['formats/x.ts', "import fs from 'fs'"],
    ['formats/x.ts', "import type { Readable } from 'node:stream'"],
    ['model/load/x.ts', "import { join } from 'node:path'"],
    ['text/data/x.ts', "export * from 'node:zlib'"],
    ['text/data/x.ts', "export const fs = await import('node:fs')"],
    ['text/data/x.ts', "export type Stream = import('node:stream').Readable"],
    ['formats/x.ts', "export const bytes = Buffer.from('text')"],
    ['formats/x.ts', 'export const cwd = process.cwd()'],
    ['formats/x.ts', "import { crc32 } from '@node-rs/crc32'"],
    ['export/onnx/graph.ts', "import { join } from 'node:path'"],
    ['export/tfjs/nodes.ts', 'export const bytes = Buffer.alloc(1)'],
  ])('src/%s must not %s', async (file, code) => {
    expect(await errorsIn(file, code)).toBe(1)
  })

  it.each([
    ['files/x.ts', "import { readFileSync } from 'node:fs'"],
    ['api/x.ts', "export const bytes = Buffer.from('text')"],
    ['formats/x.ts', "export const bytes = new TextEncoder().encode('text')"],
  ])('src/%s may %s', async (file, code) => {
    expect(await errorsIn(file, code)).toBe(0)
  })
})
