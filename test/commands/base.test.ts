import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT, run, userEnv } from '../helpers/run.js'

// The base command is tested from outside, as a process: exit codes, streams and signals exist nowhere else.
const RUN = join(ROOT, 'test/fixtures/commands/probe/run.js')
const probe = (...args: string[]) => run(process.execPath, [RUN, ...args])
const sh = (script: string) => run('bash', ['-c', script, process.execPath, RUN])

describe('errors', () => {
  it('give the error, its place, and what to do next', async () => {
    const { code, stdout, stderr } = await probe('probe', 'malformed')
    expect(code).toBe(3)
    expect(stdout).toBe('')
    expect(stderr.split('\n').slice(2)).toEqual([
      'error: tensor data ends early',
      '  file:   model.ckpt.data-00000-of-00001',
      '  tensor: bert/\\u001b[31mred\\u202e',
      '  byte:   4096',
      '  field:  hidden_size',
      'hint: copy the file again',
      '',
    ])
  })

  it('are one document with --json, and nothing else is on stdout', async () => {
    const { code, stdout, stderr } = await probe('probe', 'malformed', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: {
        kind: 'malformed',
        code: 'header-invalid',
        message: 'tensor data ends early',
        file: 'model.ckpt.data-00000-of-00001',
        tensor: 'bert/\u001b[31mred\u202e',
        offset: 4096,
        field: 'hidden_size',
        hint: 'copy the file again',
      },
    })
    expect(stdout).not.toContain('\u202e')
    expect(stderr).not.toContain('error')
  })

  it.each([
    ['check', 1, 'parity-failed'],
    ['usage', 2, 'option-invalid'],
    ['malformed', 3, 'header-invalid'],
    ['unsupported', 4, 'format-unsupported'],
    ['output', 5, 'output-failed'],
    ['environment', 6, 'package-missing'],
    ['interrupted', 130, 'interrupted'],
  ])('of kind %s exit %i, with --json too', async (kind, exitCode, code) => {
    const end = `kind:${kind}:${code}`
    const [plain, json] = await Promise.all([probe('probe', end), probe('probe', end, '--json')])
    expect([plain.code, json.code]).toEqual([exitCode, exitCode])
    expect(plain.stderr).toBe('error: as asked\n')
    expect(JSON.parse(json.stdout)).toEqual({ ok: false, error: { kind, code, message: 'as asked' } })
  })

  it('cannot be faked by a name with line breaks', async () => {
    const { stderr } = await probe('probe', 'spoof')
    expect(stderr).not.toMatch(/^hint/m)
  })

  it.each([
    [['probe', 'bug'], /^unexpected error: .*\nhint: .*report.*\n$/m],
    [['probe', 'late'], /^unexpected error: thrown where nobody waits\nhint: .*report.*\n$/m],
  ])('nobody foresaw: %j exits 70 without a stack trace', async (args, text) => {
    const { code, stderr } = await probe(...args)
    expect(code).toBe(70)
    expect(stderr).toMatch(text)
    expect(stderr).not.toContain('    at ')
  })

  it('show their stack when asked to', async () => {
    const { code, stderr } = await run(process.execPath, [RUN, 'probe', 'bug'], {
      env: userEnv({ ALBERTKIT_DEBUG: '1' }),
    })
    expect(code).toBe(70)
    expect(stderr).toContain('    at ')
  })

  it('a command of which a part never answers ends with an error, not by itself', async () => {
    const { code, stderr } = await probe('probe', 'never')
    expect(code).toBe(6)
    expect(stderr).toMatch(/^error: the command ended before its work was done/m)
    const json = await probe('probe', 'never', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code: 'process-failed' } })
  })

  it('that are unforeseen have the code unexpected with --json', async () => {
    const { code, stdout } = await probe('probe', 'bug', '--json')
    expect(code).toBe(70)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { kind: 'unexpected', code: 'unexpected' } })
  })

  it.each([
    [['probe'], 'option-missing'],
    [['probe', 'ok', '--nonsense'], 'option-invalid'],
    [['probe', 'ok', '--kind', 'c'], 'option-invalid'],
    [['probe', 'ok', 'more'], 'option-invalid'],
    [['nonsense'], 'option-invalid'],
  ])('in the command line exit 2: %j', async (args, code) => {
    const plain = await probe(...args)
    expect(plain.code).toBe(2)
    expect(plain.stdout).toBe('')
    expect(plain.stderr).toMatch(/^error: [^]*^hint: see `.* --help`\n$/m)
    const json = await probe(...args, '--json')
    expect(json.code).toBe(2)
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { kind: 'usage', code } })
    expect(json.stderr).toBe('')
  })
})

describe('a result', () => {
  it('goes to stdout, talk to stderr', async () => {
    const { code, stdout, stderr } = await probe('probe', 'ok')
    expect([code, stdout]).toEqual([0, 'line\n'])
    expect(stderr).toBe('working\\u001b[2J\nwarning: careful\n')
  })

  it('is one document with --json', async () => {
    const { code, stdout } = await probe('probe', 'ok', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ ok: true, name: 'a\u0085\u202eb' })
    expect(stdout).toContain('a\\u0085\\u202eb')
  })

  it('that fails exits 1', async () => {
    const [plain, json] = await Promise.all([probe('probe', 'no'), probe('probe', 'no', '--json')])
    expect(plain).toEqual({ code: 1, stdout: 'parity: no\n', stderr: '' })
    expect([json.code, JSON.parse(json.stdout)]).toEqual([1, { ok: false, worst: 0.5 }])
  })

  it('about something broken exits with its code', async () => {
    expect(await probe('probe', 'broken')).toEqual({ code: 3, stdout: 'broken\n', stderr: '' })
  })

  it('may be cut off by its reader', async () => {
    const { stdout, stderr } = await sh(
      '"$0" "$1" probe ok --lines 200000 2>/dev/null | head -3; echo ${PIPESTATUS[0]}',
    )
    expect(stdout).toBe('line\nline\nline\n0\n')
    expect(stderr).toBe('')
  })

  it('may be cut off together with the talk', async () => {
    const { stdout, stderr } = await sh('"$0" "$1" probe ok --lines 200000 2>&1 | head -1; echo ${PIPESTATUS[0]}')
    expect(stdout).toBe('working\\u001b[2J\n0\n')
    expect(stderr).toBe('')
  })

  it('that fails exits 1 although its reader is gone', async () => {
    const { stdout } = await sh('"$0" "$1" probe no | true; echo ${PIPESTATUS[0]}')
    expect(stdout).toBe('1\n')
  })

  it('has no colour', async () => {
    const { stdout, stderr } = await probe('probe', '--help')
    expect(stdout + stderr).not.toContain('\u001b')
  })
})

describe('an interrupted command', () => {
  it('that takes long is announced, and ends at once when interrupted again', async () => {
    const child = spawn(process.execPath, [RUN, 'probe', 'linger'], { env: userEnv() })
    let stderr = ''
    child.stderr.on('data', (text) => {
      stderr += String(text)
      if (/waiting\n$|at once\n$/.test(stderr)) child.kill('SIGINT')
    })
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
    // A shell says 130 of this.
    expect([code, signal]).toEqual([null, 'SIGINT'])
    expect(stderr).toBe('waiting\nfinishing the current step; press Ctrl-C again to stop at once\n')
  })

  it.each([
    ['SIGINT', 130, []],
    ['SIGTERM', 143, []],
    ['SIGINT', 130, ['--json']],
  ] as const)('cleans up: %s exits %i %j', async (signal, expected, flags) => {
    const trace = join(await mkdtemp(join(tmpdir(), 'albertkit-')), 'trace')
    const child = spawn(process.execPath, [RUN, 'probe', 'wait', '--trace', trace, ...flags], { env: userEnv() })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (text) => (stdout += String(text)))
    child.stderr.on('data', (text) => {
      if (stderr === '') child.kill(signal)
      stderr += String(text)
    })
    const [code] = (await once(child, 'close')) as [number]
    expect(code).toBe(expected)
    expect(await readFile(trace, 'utf8')).toBe('cleaned up')
    if (flags.length === 0) expect(stderr).toBe(`waiting\nerror: interrupted (${signal})\n`)
    else expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { kind: 'interrupted' } })
  })
})
