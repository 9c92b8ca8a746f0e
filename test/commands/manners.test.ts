import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { albertkit, BIN, run, userEnv } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

/** What a terminal's user expects of every command: short flags, suggestions, one exit code for one kind of mistake. */
const GOLDEN = join(ZH_NEWS, 'golden.safetensors')
const folder = mkdtempSync(join(tmpdir(), 'albertkit-manners-'))
const at = (name: string): string => join(folder, name)
beforeAll(() => {
  writeFileSync(at('vocab.txt'), '[PAD]\n[UNK]\n的\n')
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('short flags', () => {
  it.each([['-v'], ['--version'], ['version']])('%s prints the version', async (word) => {
    expect((await albertkit([word])).stdout).toMatch(/^albertkit\/\d+\.\d+\.\d+ /)
  })

  it('-h prints the help, of a command too', async () => {
    const [root, convert] = await Promise.all([albertkit(['-h']), albertkit(['convert', '-h'])])
    expect([root.code, convert.code]).toEqual([0, 0])
    expect(convert.stdout).toContain('$ albertkit convert MODEL')
    // Paragraphs are wrapped once: a line ends where the next word does not fit.
    const [, description = ''] = /^DESCRIPTION\n([^]*?)^TOPICS/m.exec(root.stdout) ?? []
    const lines = description.trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(10)
    lines.slice(1).forEach((line, i) => {
      const [word] = line.trim().split(' ')
      if (word !== '' && lines[i] !== '') expect(`${lines[i]!} ${word!}`.length).toBeGreaterThan(78)
    })
    for (const said of ['Exit codes: 0 done', '70 unexpected', 'ALBERTKIT_DEBUG', 'Documentation:'])
      expect(root.stdout.replace(/\s+/g, ' ')).toContain(said)
  })
})

describe('a usage error', () => {
  it.each([
    [['conver', 'x'], 'there is no command conver', 'did you mean `albertkit convert`?'],
    [['queue', 'statu'], 'there is no command queue statu', 'did you mean `albertkit queue status`?'],
    [['convert', 'M', '--too', 'tfjs', '-o', 'q'], 'Nonexistent flag: --too', 'did you mean --to?'],
    [['convert', 'M', '--to', 'tfsj', '-o', 'q'], '--to=tfsj', 'did you mean tfjs?'],
    [['convert', 'M', '--to', 'onnx:f23,int8', '-o', 'q'], '--to=onnx:f23,int8', 'did you mean onnx:f32,int8?'],
    [['convert', 'M', '--to', 'onnx:f32,', '-o', 'q'], '--to=onnx:f32,', 'a format, or with element types'],
    [['init', 'albert-tini', '-o', at('x')], 'there is no preset albert-tini', 'did you mean albert-tiny?'],
    [
      ['params', 'albert-base'],
      'there is no such file',
      'that is the name of a published size: --preset albert-base counts it',
    ],
    [['convert', 'M'], 'missing: --output and --to', 'see `albertkit convert --help`'],
    [['convert'], 'missing: MODEL', 'see `albertkit convert --help`'],
  ])('%j names what was meant', async (args, message, hint) => {
    const { code, stdout, stderr } = await albertkit(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr.split('\n')[0]).toContain(`error: ${message}`)
    expect(stderr).toContain(`hint: ${hint}`)
    expect(stderr).not.toContain('conver:x')
  })
})

describe('no such file', () => {
  it.each([
    ['inspect', at('none')],
    ['predict', ZH_NEWS, at('none.tsv')],
    ['predict', at('none'), at('vocab.txt')],
    ['verify', ZH_NEWS, at('none')],
    ['bench', at('none')],
    ['merge', at('none'), '-o', at('merged')],
    ['diff', ZH_NEWS, at('none')],
    ['params', at('none')],
    ['weights', ZH_NEWS, '--before', at('none')],
    ['inspect', ZH_NEWS, '--config', at('none')],
    ['predict', ZH_NEWS, at('vocab.txt'), '--labels', at('none')],
    ['finetune', ZH_NEWS, '--batches', GOLDEN, '--recipe', at('none'), '-o', at('trained')],
    ['queue', 'submit', 'predict', ZH_NEWS, at('none'), '-o', at('queued')],
    ['init', at('none.json'), '-o', at('made')],
    ['layers', ZH_NEWS, '--text', at('none')],
    ['verify', ZH_NEWS, '--browser', at('none')],
    ['doctor', '--browser', at('none')],
  ])('%s %s %s is exit code 2 with the code file-missing', async (...args) => {
    const { code, stdout } = await albertkit([...args, '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ error: { kind: 'usage', code: 'file-missing' } })
  })
})

it('a vocabulary is a text file, not JSON', async () => {
  const { code, stderr } = await albertkit(['inspect', at('vocab.txt')])
  expect([code, stderr.split('\n')[0]]).toEqual([
    3,
    'error: the file is a text file (a vocabulary, perhaps), not a model',
  ])
})

it.each(['tokenize', 'predict'])('a text in place of its file is explained: %s', async (command) => {
  const { code, stderr } = await albertkit([command, ZH_NEWS, '央行'])
  expect(code).toBe(2)
  expect(stderr).toContain("pipe it: echo '央行' |")
})

it('a full disk under standard output does not speak of -o, which the command lacks', async () => {
  const { code, stderr } = await run('bash', [
    '-c',
    `"$0" "$1" inspect "$2" > /dev/full`,
    process.execPath,
    BIN,
    ZH_NEWS,
  ])
  expect(code).toBe(5)
  expect(stderr).toContain('no space left')
  expect(stderr).not.toContain('hint')
})

describe('diff', () => {
  beforeAll(async () => {
    const args = ['convert', ZH_NEWS, '--to', 'tfjs', '--task', 'classify', '--no-verify', '-o', at('out')]
    expect((await albertkit(args)).code).toBe(0)
  })

  it('notes that a conversion lacks heads only', async () => {
    const { code, stdout } = await albertkit(['diff', ZH_NEWS, at('out')])
    expect([code, stdout.trimEnd().split('\n').pop()]).toEqual([
      1,
      'equal in all that B has; A has more (--common ignores that)',
    ])
  })

  it('--common compares what both have', async () => {
    const { code, stdout } = await albertkit(['diff', ZH_NEWS, at('out'), '--common'])
    expect([code, stdout.trimEnd().split('\n').pop()]).toEqual([0, 'the same model'])
  })
})

describe('--quiet and --verbose', () => {
  it('a quiet command that only writes prints nothing, and its report if a check fails', async () => {
    const written = await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '-o', at('quiet'), '-q'])
    expect(written).toEqual({ code: 0, stdout: '', stderr: '' })
    const failed = await albertkit(['verify', ZH_NEWS, '--golden', GOLDEN, '--atol', '0', '--quiet'])
    expect(failed.code).toBe(1)
    expect(failed.stdout).toContain('NOT verified')
  })

  it('a quiet command still prints its result, and lines that it cannot use', async () => {
    writeFileSync(at('bad.jsonl'), '{"text":"央行下调存款准备金率"}\n{"label":"财经"}\n')
    const { stdout, stderr } = await albertkit(['predict', ZH_NEWS, at('bad.jsonl'), '--format', 'tsv', '--quiet'])
    expect(stdout).toMatch(/^财经\t0\.99/)
    expect(stderr).toMatch(/^line 2: [^\n]*\n$/)
  })

  it('a verbose command prints its steps', async () => {
    const { stderr } = await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '-o', at('verbose'), '--verbose'])
    expect(stderr.split('\n').length).toBeGreaterThan(3)
    for (const line of stderr.trim().split('\n')) expect(line).toMatch(/^\[ *\d+\.\d\d s\] \S/)
  })

  it('not both', async () => {
    expect((await albertkit(['inspect', ZH_NEWS, '-q', '--verbose'])).code).toBe(2)
  })
})

describe('colours', () => {
  const inTerminal = (command: string, env: NodeJS.ProcessEnv): Promise<{ stdout: string }> =>
    run('script', ['-qec', `${process.execPath} ${BIN} ${command}`, '/dev/null'], { env: userEnv(env) })
  const command = `verify ${ZH_NEWS} --golden ${GOLDEN}`

  it('are used on a terminal only, and not with NO_COLOR', async () => {
    const [shown, plain, piped] = await Promise.all([
      inTerminal(command, { NO_COLOR: '', TERM: 'xterm' }),
      inTerminal(command, { NO_COLOR: '1', TERM: 'xterm' }),
      albertkit(command.split(' ')),
    ])
    expect(shown.stdout).toContain('\u001b[32mok\u001b[39m')
    expect(shown.stdout).toContain('\u001b[32mverified\u001b[39m')
    for (const { stdout } of [plain, piped]) expect(stdout).not.toContain('\u001b[3')
  })
})
