import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { measured } from '../helpers/measured.js'
import { describeShared, hasShared, SHARED } from '../helpers/shared.js'

/** Every damaged model by the command line: its exit code, a message and no stack trace, little time and memory, no output. */

const DAMAGED = join(SHARED, 'tf/damaged')
const MAX_SECONDS = 2
const MAX_MIB = 300

const cases = hasShared
  ? Object.entries(
      (JSON.parse(readFileSync(join(DAMAGED, 'README.json'), 'utf8')) as { cases: Record<string, { expect: string }> })
        .cases,
    )
  : []

/** Exit codes that a case may have, by what its README expects. */
function codesOf(name: string, expected: string): readonly number[] {
  if (expected === 'reads' || expected.startsWith('post-LN') || expected.startsWith('model.ckpt-2')) return [0]
  // A true big-endian checkpoint is read; a forged one has other numbers behind its checksums.
  if (name === 'big_endian') return [0]
  if (/^(error, or|swapped)/.test(expected)) return [0, 3, 4]
  if (expected.startsWith('no model')) return [4]
  if (expected === 'error naming the field') return [3]
  return [3, 4]
}

const out = mkdtempSync(join(tmpdir(), 'albertkit-damaged-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

describeShared('damaged models by the command line', () => {
  it.concurrent.each(cases)('%s', async (name, { expect: expected }) => {
    const codes = codesOf(name, expected)
    const { code, stderr, mib, seconds } = await measured(['inspect', join(DAMAGED, name)])
    expect(codes, stderr).toContain(code)
    expect(stderr).not.toMatch(/^\s+at |Error:/m)
    if (code !== 0 && name !== 'data_missing') expect(stderr).toMatch(/^error: .|^$/)
    expect(seconds).toBeLessThan(MAX_SECONDS)
    expect(mib).toBeLessThan(MAX_MIB)
  })

  const broken = ['data_flipped_byte', 'v1_truncated', 'frozen_truncated', 'savedmodel_empty', 'forged_slice_missing']
  it.concurrent.each(broken)('%s: convert leaves nothing behind, and --json says the same', async (name) => {
    const target = join(out, name)
    const { code, stdout } = await measured(['convert', join(DAMAGED, name), '-o', target, '--to', 'onnx', '--json'])
    expect(code).toBe(3)
    const { error } = JSON.parse(stdout) as { error: { kind: string; file: string; message: string } }
    expect(error.kind).toBe('malformed')
    expect(error.file).toContain(name)
    expect(existsSync(target)).toBe(false)
    expect(readdirSync(out).filter((entry) => entry.includes(name))).toEqual([])
  })

  it('data_missing lists names and shapes, says that the data is missing, and ends with 3', async () => {
    const { code, stdout } = await measured(['inspect', join(DAMAGED, 'data_missing'), '--json'])
    expect(code).toBe(3)
    const report = JSON.parse(stdout) as { variables: { shape: number[] }[]; missingFiles: string[]; notes: string[] }
    expect(report.variables.length).toBeGreaterThan(20)
    expect(report.missingFiles).toEqual(['model.ckpt.data-00000-of-00001'])
    expect(report.notes.join()).toContain('the data is missing')
    const convert = await measured(['convert', join(DAMAGED, 'data_missing'), '-o', join(out, 'x'), '--to', 'onnx'])
    expect(convert.code).toBe(3)
    expect(convert.stderr).toContain('a data file of the checkpoint is missing')
  })
})

interface BadFile {
  readonly accepted: boolean
  readonly tensors?: Readonly<Record<string, unknown>>
}

const BAD = join(SHARED, 'bad_safetensors')
const files = hasShared
  ? Object.entries(
      (JSON.parse(readFileSync(join(BAD, 'README.json'), 'utf8')) as { files: Record<string, BadFile> }).files,
    )
  : []

interface Failure {
  readonly error: {
    readonly kind: string
    readonly message: string
    readonly file: string
    readonly tensor?: string
    readonly offset?: number
    readonly hint?: string
  }
}

/** Rejected files whose error is of the header as a whole: there is no tensor yet, and the byte is where the header is. */
const OF_THE_METADATA = ['duplicate_metadata', 'deep_nesting', 'metadata_number', 'metadata_string']

describeShared('bad safetensors files by the command line', () => {
  it.concurrent.each(files)('%s', async (name, { accepted, tensors = {} }) => {
    const file = join(BAD, name)
    const { code, stdout, stderr, mib, seconds } = await measured(['inspect', file, '--json'])
    const { error } = JSON.parse(stdout) as Failure
    expect(stderr).not.toMatch(/^\s+at |Error:/m)
    expect(error.file).toBe(file)
    if (accepted) {
      // It reads, and is no model: what is said names its tensors.
      expect(code).toBe(4)
      expect(error.kind).toBe('unsupported')
      const [first] = Object.keys(tensors)
      expect(error.message).toContain(first === undefined ? 'no tensors' : 'no known model family')
      if (first !== undefined) expect(error.message).toMatch(/: .*\S/)
    } else {
      expect(code).toBe(3)
      expect(error.kind).toBe('malformed')
      if (!OF_THE_METADATA.includes(name.replace('.safetensors', '')))
        expect(error.tensor !== undefined || error.offset !== undefined, error.message).toBe(true)
    }
    expect(seconds).toBeLessThan(MAX_SECONDS)
    expect(mib).toBeLessThan(MAX_MIB)
  })

  it('a tensor that is there twice is called so', async () => {
    const { stderr } = await measured(['inspect', join(BAD, 'duplicate_key.safetensors')])
    expect(stderr).toMatch(/the header has the tensor twice, at bytes \d+ and \d+/)
  })
})
