import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { BIN, run, userEnv } from '../helpers/run.js'
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

/** What the process used, printed as its last line of stderr when it ends. */
const MEASURE = `data:text/javascript,${encodeURIComponent(
  `process.on('exit',()=>{const u=process.resourceUsage();require('node:fs').writeSync(2,'\\n@'+JSON.stringify([u.maxRSS/1024,(u.userCPUTime+u.systemCPUTime)/1e6]))});import{createRequire}from'node:module';const require=createRequire('file:///')`,
)}`

interface Measured {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly mib: number
  /** Of processor time: the wall's depends on what else the machine does. */
  readonly seconds: number
}

async function measured(args: readonly string[]): Promise<Measured> {
  const result = await run(process.execPath, ['--import', MEASURE, BIN, ...args], { env: userEnv() })
  const [stderr = '', usage = '[]'] = result.stderr.split('\n@')
  const [mib = Infinity, seconds = Infinity] = JSON.parse(usage) as number[]
  return { ...result, stderr, mib, seconds }
}

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
