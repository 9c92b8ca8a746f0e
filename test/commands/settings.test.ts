import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  settingArguments,
  settingsOf,
  typedNames,
  variableOf,
  type FlagShape,
  type FlagShapes,
  type SettingsFile,
} from '../../src/commands/common/settings.js'
import { commandsOf } from '../helpers/manifest.js'
import { albertkit, ROOT, userEnv } from '../helpers/run.js'

// Every flag of every command can come from the environment and from the file: flag > environment > file > default.

const COMMANDS = Object.entries(commandsOf('standalone')).map(
  ([id, { flags }]) => [id.replaceAll(':', ' '), flags as unknown as FlagShapes] as const,
)

/** Values that a flag may have; only their way is tested. */
const valueOf = ({ type }: FlagShape, value: string): string => (type === 'boolean' ? 'true' : value)
const fileWith = (flags: SettingsFile['flags']): SettingsFile => ({
  flags,
  folder: '/base',
  name: 'albertkit.config.json',
})

describe.each(COMMANDS)('%s', (command, flags) => {
  it.each(Object.keys(flags))('--%s', (flag) => {
    const shape = flags[flag]!
    const [own, all] = [variableOf(flag, command), variableOf(flag)]
    const settled = (argv: readonly string[], env: Record<string, string>, file: SettingsFile | null) =>
      settingsOf(command, flags, argv, { env, file }).map(({ from, values }) => [from, ...values])
    const [a, b, c] = ['/a', '/b', '/c'].map((value) => valueOf(shape, value)) as [string, string, string]
    const file = fileWith({ [command]: { [flag]: c } })
    expect(settled([], {}, null)).toEqual([])
    expect(settled([], {}, fileWith({ '*': { [flag]: c } }))).toEqual([[expect.stringContaining(`*.${flag}`), c]])
    expect(settled([], {}, file)).toEqual([[`albertkit.config.json, flags.${command}.${flag}`, c]])
    expect(settled([], { [all]: b }, file)).toEqual([[all, b]])
    expect(settled([], { [all]: b, [own]: a }, file)).toEqual([[own, a]])
    expect(settled([], { [all]: '' }, null)).toEqual([])
    const typed = shape.type === 'boolean' ? [`--${flag}`] : [`--${flag}`, '/typed']
    expect(settled(typed, { [all]: b }, file)).toEqual([])
    // After `--` nothing is a flag.
    expect(settled(['--', ...typed], { [all]: b }, null)).toEqual([[all, b]])
    expect([...typedNames(typed, flags)]).toEqual([flag])
    expect([...typedNames(settingArguments(settingsOf(command, flags, [], { env: {}, file }), flags), flags)]).toEqual([
      flag,
    ])
  })
})

it('no two flags of a command share a variable, and none is a variable of another meaning', () => {
  for (const [command, flags] of COMMANDS) {
    const all = Object.keys(flags).flatMap((flag) => [variableOf(flag), variableOf(flag, command)])
    expect(new Set(all).size).toBe(all.length)
    expect(all).not.toContain('ALBERTKIT_DEBUG')
  }
})

describe('values', () => {
  const flags: FlagShapes = {
    to: { type: 'option', multiple: true },
    vocab: { type: 'option', helpValue: 'FILE' },
    csv: { type: 'boolean', exclusive: ['markdown'] },
    markdown: { type: 'boolean' },
    verify: { type: 'boolean', allowNo: true },
    output: { type: 'option', char: 'o' },
  }
  const words = (argv: string[], env: Record<string, string>, file: SettingsFile | null = null): string[] =>
    settingArguments(settingsOf('convert', flags, argv, { env, file }), flags)

  it('are split at spaces, or at line ends, if a flag may be repeated', () => {
    expect(words([], { ALBERTKIT_TO: 'tfjs onnx:f32,int8' })).toEqual(['--to=tfjs', '--to=onnx:f32,int8'])
    expect(words([], { ALBERTKIT_TO: 'a b\nc\n' })).toEqual(['--to=a b', '--to=c'])
    expect(words([], {}, fileWith({ convert: { to: ['tfjs', 'onnx'] } }))).toEqual(['--to=tfjs', '--to=onnx'])
  })

  it('of switches are yes or no', () => {
    expect(words([], { ALBERTKIT_VERIFY: 'off', ALBERTKIT_CSV: '1' })).toEqual(['--csv', '--no-verify'])
    expect(words(['--no-verify'], { ALBERTKIT_VERIFY: '1' })).toEqual([])
    expect(() => words([], { ALBERTKIT_CSV: 'maybe' })).toThrow(/ALBERTKIT_CSV is yes or no/)
  })

  it('that are paths are relative to the file', () => {
    expect(words([], {}, fileWith({ convert: { vocab: 'v.txt' } }))).toEqual([`--vocab=${join('/base', 'v.txt')}`])
    expect(words([], { ALBERTKIT_VOCAB: 'v.txt' })).toEqual(['--vocab=v.txt'])
  })

  it('that exclude a flag of a higher rank are left out', () => {
    expect(words(['--markdown'], { ALBERTKIT_CSV: '1' })).toEqual([])
    expect(words(['--csv'], { ALBERTKIT_MARKDOWN: '1' })).toEqual([])
    expect(words([], { ALBERTKIT_CSV: '1' }, fileWith({ '*': { markdown: true } }))).toEqual(['--csv'])
  })

  it('of an unknown flag, and several of one that takes one, are refused', () => {
    expect(() => words([], {}, fileWith({ convert: { vocap: 'x' } }))).toThrow(/has a flag vocap/)
    expect(() => words([], {}, fileWith({ convert: { vocab: ['x', 'y'] } }))).toThrow(/takes one/)
    // Of all commands: those that have it.
    expect(words([], {}, fileWith({ '*': { vocap: 'x' } }))).toEqual([])
  })

  it('of a short flag are known', () => {
    expect(words(['-o', 'x'], { ALBERTKIT_OUTPUT: 'y' })).toEqual([])
    expect(words(['-ox'], { ALBERTKIT_OUTPUT: 'y' })).toEqual([])
    expect(words(['--vocab', '-o'], { ALBERTKIT_OUTPUT: 'y' })).toEqual(['--output=y'])
  })
})

describe('a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-settings-'))
  const news = `${ROOT}fixtures/zh-news`
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const inspect = async (args: string[], env: NodeJS.ProcessEnv = {}, cwd = folder) =>
    albertkit(['inspect', news, ...args], { cwd, env: userEnv(env) })

  it('takes flags from the environment, from the file, and from neither with --config-file none', async () => {
    expect((await inspect([], { ALBERTKIT_JSON: '1' })).stdout).toMatch(/^\{/)
    writeFileSync(join(folder, 'albertkit.config.json'), JSON.stringify({ flags: { inspect: { json: true } } }))
    mkdirSync(join(folder, 'below'))
    expect((await inspect([], {}, join(folder, 'below'))).stdout).toMatch(/^\{/)
    expect((await inspect(['--config-file', 'none'])).stdout).not.toMatch(/^\{/)
    expect((await inspect([], { ALBERTKIT_CONFIG_FILE: 'none' })).stdout).not.toMatch(/^\{/)
    expect((await inspect([], { ALBERTKIT_JSON: 'no' })).stdout).not.toMatch(/^\{/)
  })

  it('says where a value comes from that it refuses', async () => {
    const { code, stderr } = await albertkit(['convert', news, '-o', 'x'], {
      cwd: folder,
      env: userEnv({ ALBERTKIT_CONVERT_TO: 'onyx', ALBERTKIT_CONFIG_FILE: 'none' }),
    })
    expect(code).toBe(2)
    expect(stderr).toContain('note: --to onyx comes from ALBERTKIT_CONVERT_TO')
  })

  it('does not run code that lies about, unless it is named', async () => {
    rmSync(join(folder, 'albertkit.config.json'))
    const code = `process.stderr.write('ran\\n')\nexport default { flags: { inspect: { json: true } } }\n`
    writeFileSync(join(folder, 'albertkit.config.mjs'), code)
    expect((await inspect([])).stderr).not.toContain('ran')
    const named = await inspect(['--config-file', 'albertkit.config.mjs'])
    expect([named.stdout.slice(0, 1), named.stderr]).toEqual(['{', 'ran\n'])
  })
})
