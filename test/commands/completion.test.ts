import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { complete, type CommandShape } from '../../src/commands/common/complete.js'
import { temporary } from '../helpers/faults.js'
import { albertkit, BIN, ROOT, userEnv } from '../helpers/run.js'

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

const { commands } = JSON.parse(readFileSync(`${ROOT}dist/standalone/oclif.manifest.json`, 'utf8')) as {
  commands: Readonly<Record<string, CommandShape>>
}

/** What begins with the last word, and the paths. */
function offered(line: string): readonly [values: readonly string[], paths: string] {
  const words = line.split(' ')
  const { words: all, paths } = complete(commands, words)
  return [all.map(({ value }) => value).filter((value) => value.startsWith(words.at(-1)!)), paths]
}

const NONE: readonly string[] = []

describe('completion', () => {
  it.each([
    ['conv', ['convert'], 'none'],
    ['queue ', ['status', 'submit', 'work'], 'none'],
    ['help conv', ['convert'], 'none'],
    ['convert ', NONE, 'files'],
    ['convert M --to ', ['tfjs', 'onnx', 'tflite', 'safetensors', 'tf'], 'none'],
    ['convert M --to tflite:', ['tflite:f32', 'tflite:f16', 'tflite:int8', 'tflite:int4'], 'none'],
    ['convert M --to tflite:f32,int', ['tflite:f32,int8', 'tflite:f32,int4'], 'none'],
    ['convert M --to=safe', ['--to=safetensors'], 'none'],
    ['convert M --dtype b', ['bf16'], 'none'],
    ['convert M --to tf -o ', NONE, 'folders'],
    ['convert M --task token', ['token-classification'], 'none'],
    ['convert M --vocab ', NONE, 'files'],
    ['convert M --to tf --no-v', ['--no-verify'], 'none'],
    ['convert M --verify --no-v', NONE, 'none'],
    ['convert M -- --v', NONE, 'none'],
    ['verify M --runner browser-l', ['browser-litert-wasm', 'browser-litert-webgpu'], 'none'],
    ['predict M T --runner ', ['onnxruntime', 'tfjs-wasm', 'onnxruntime-web', 'litert'], 'none'],
    [
      'init albert-x',
      ['albert-xlarge', 'albert-xxlarge'].map((name) => expect.stringContaining(name) as string),
      'files',
    ],
    ['params --preset albert-base,bert-large-c', ['albert-base,bert-large-cased'], 'none'],
    ['params --share a', ['all', 'attention'], 'none'],
    ['queue submit p', ['predict'], 'none'],
    ['queue submit predict ', NONE, 'files'],
    ['finetune M --export o', ['onnx'], 'none'],
    ['finetune M --optimizer l', ['lamb'], 'none'],
    ['completion f', ['fish'], 'none'],
  ] as const)('of %j', (line, values, paths) => {
    const [found, kind] = offered(line)
    expect([...found].sort()).toEqual(expect.arrayContaining([...values].sort()))
    if (!line.startsWith('init')) expect([...found].sort()).toEqual([...values].sort())
    expect(kind).toBe(paths)
  })

  it('offers every flag once, but those that may be repeated', () => {
    const [flags] = offered('convert M --to tf --verbose --')
    expect(flags).toContain('--to')
    expect(flags).not.toContain('--verbose')
    expect(flags).toContain('--help')
  })

  it('knows the kind of each value', () => {
    const unknown = Object.entries(commands).flatMap(([id, { flags }]) =>
      Object.values(flags)
        .filter(
          ({ type, name }) =>
            type === 'option' && complete(commands, [...id.split(':'), `--${name}`, '']).paths === 'none',
        )
        .filter(({ helpValue = '', options }) => options === undefined && /FILE|DIR|PATH|MODEL/.test(helpValue))
        .map(({ name }) => `${id} --${name}`),
    )
    expect(unknown).toEqual([])
  })
})

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

/** A folder with a program `albertkit` on the path, and some files. */
const env = (): NodeJS.ProcessEnv =>
  userEnv({ PATH: `${at('bin')}:${process.env.PATH ?? ''}`, HOME: at('home'), LC_ALL: 'C.UTF-8' })
beforeAll(async () => {
  for (const folder of ['bin', 'home', 'work', 'work/models', 'work/models/small model']) mkdirSync(at(folder))
  writeFileSync(at('work/lines.tsv'), '')
  writeFileSync(at('bin/albertkit'), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`)
  chmodSync(at('bin/albertkit'), 0o755)
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await albertkit(['completion', shell])
    expect(code).toBe(0)
    writeFileSync(at(`albertkit.${shell}`), stdout)
  }
}, 60_000)

const LINES = [
  ['albertkit conv', ['convert']],
  ['albertkit queue s', ['status', 'submit']],
  ['albertkit convert m --to on', ['onnx']],
  ['albertkit convert m --to tflite:f32,i', ['tflite:f32,int8', 'tflite:f32,int4']],
  ['albertkit verify m --runner tfjs-w', ['tfjs-wasm', 'tfjs-webgpu']],
  ['albertkit convert mod', ['models/']],
  ['albertkit predict models li', ['lines.tsv']],
  ['albertkit convert m -o ', ['models/']],
  ['albertkit finetune m --optimizer l', ['lamb']],
] as const

/** What bash would put in the place of the last word, complete. */
function inBash(line: string): string[] {
  const script = `
    source ${at('albertkit.bash')}
    compopt() { for o; do [[ $o == -o ]] || options+=" $o"; done; }
    COMP_LINE=$1 COMP_POINT=\${#1} COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
    cur=\${COMP_LINE##* }; part=\${cur##*[:=]}
    _albertkit albertkit "$part" ''
    [[ $options == *default* && \${#COMPREPLY[@]} == 0 ]] && COMPREPLY=($(compgen -f -- "$part"))
    [[ $options == *dirnames* && \${#COMPREPLY[@]} == 0 ]] && COMPREPLY=($(compgen -d -- "$part"))
    for one in "\${COMPREPLY[@]}"; do [[ -d $one ]] && one+=/; echo "\${cur%"$part"}$one"; done`
  const options = { encoding: 'utf8', cwd: at('work'), env: env() } as const
  return execFileSync('bash', ['--norc', '-c', script, 'bash', line], options).split('\n').filter(Boolean)
}

/** Candidates of zsh, as its completion adds them: with compadd in the place of the menu. */
function inZsh(line: string): string[] {
  const script = `
    zmodload zsh/zpty
    zpty z "env PS1='> ' zsh -f -i"
    send() { zpty -w z "$1"; }
    send "autoload -Uz compinit && compinit -u -d ${at('home/.zcompdump')}"
    send "source ${at('albertkit.zsh')}"
    send 'compadd() { if [[ \${*} == *-[OAD]* ]]; then builtin compadd "$@"; return; fi; local -a hits; builtin compadd -O hits "$@"; for hit in $hits; do print -r -- "HIT:$IPREFIX$hit"; done; builtin compadd "$@"; }'
    send "print READ''Y"
    local out
    while zpty -r z out; do [[ $out == *READY* ]] && break; done
    zpty -w -n z $1$'\\t'
    sleep 0.5
    zpty -w -n z $'\\C-u'
    zpty -w z $'\\nprint DO\\'\\'NE'
    while zpty -r z out; do print -rn -- $out; [[ $out == *DONE* ]] && break; done`
  const options = { encoding: 'utf8', cwd: at('work'), env: env(), timeout: 60_000 } as const
  const out = execFileSync('zsh', ['-f', '-c', script, 'zsh', line], options)
  return [...new Set([...out.matchAll(/HIT:([^\r\n]*)/g)].map(([, hit]) => hit!.trim()))]
}

function inFish(line: string): string[] {
  const script = `source ${at('albertkit.fish')}; complete -C ${JSON.stringify(line)}`
  const options = { encoding: 'utf8', cwd: at('work'), env: env() } as const
  const out = execFileSync('fish', ['--no-config', '-c', script], options)
  return out
    .split('\n')
    .filter(Boolean)
    .map((row) => row.split('\t')[0]!)
}

describe.skipIf(!has('bash'))('in bash', () => {
  it.each(LINES)('%j', (line, values) => {
    expect(inBash(line).sort()).toEqual([...values].sort())
  })
})

describe.skipIf(!has('fish'))('in fish', () => {
  it.each(LINES)('%j', (line, values) => {
    expect(inFish(line).sort()).toEqual([...values].sort())
  })
})

describe.skipIf(!has('zsh'))('in zsh', () => {
  it.each(LINES)('%j', (line, values) => {
    const bare = (all: readonly string[]) => all.map((one) => one.replace(/\/$/, '')).sort()
    expect(bare(inZsh(line))).toEqual(bare(values))
  })
})

for (const shell of ['bash', 'zsh', 'fish'])
  if (!has(shell)) console.warn(`${shell} is absent: its completion is not tested`)
