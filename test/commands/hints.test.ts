import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import ts from 'typescript'
import { afterEach, describe, expect, it } from 'vitest'
import { OPTION_FLAGS, setFlagScope, typedFlags, withFlags } from '../../src/commands/common/option-flags.js'
import { strayFlags } from '../helpers/hints.js'
import { commandsOf } from '../helpers/manifest.js'
import { ROOT } from '../helpers/run.js'

/**
 * A hint that names a flag leads somewhere. `test/helpers/run.ts` holds what commands print in any test against their
 * flags; here are the texts that no test prints.
 */

const commands = commandsOf('standalone')
const everyFlag = new Set(Object.values(commands).flatMap(({ flags }) => [...typedFlags(flags)]))

/** Texts in a source file: string literals, and template literals with `…` for their expressions. */
function textsOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(`${ROOT}${file}`, 'utf8'), ts.ScriptTarget.Latest, true)
  const texts: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.push(node.text)
    else if (ts.isTemplateExpression(node))
      texts.push(node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join(''))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return texts
}

const files = readdirSync(`${ROOT}src`, { recursive: true, encoding: 'utf8' })
  .map((file) => `src/${file.replaceAll('\\', '/')}`)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .filter((file) => !file.startsWith('src/proto/'))

const flagsIn = (text: string): string[] =>
  [...text.matchAll(/(?<![\w-])--[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?![\w-])/g)].map(([flag]) => flag)

/** Arguments of other programs, and the documents of `--json`, whose schemas name the flags. */
const OTHER = /^src\/(commands|report|schemas|main)\b|browser\/launch|gpu\/nvidia|install-command|hub\/cached/

/** Names of the library's options: properties of the interfaces that are called so. */
function optionNames(): ReadonlySet<string> {
  const names = new Set<string>()
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(`${ROOT}${file}`, 'utf8'), ts.ScriptTarget.Latest)
    for (const node of source.statements)
      if (ts.isInterfaceDeclaration(node) && /(Options|Job)$/.test(node.name.text))
        for (const { name } of node.members) if (name !== undefined && ts.isIdentifier(name)) names.add(name.text)
  }
  return names
}

describe('texts that name options', () => {
  it('name no flags below the commands', () => {
    const named = files.filter((file) => !OTHER.test(file)).flatMap((file) => textsOf(file).flatMap(flagsIn))
    expect(named).toEqual([])
  })

  it('name options whose flags are known', () => {
    const words = files
      .filter((file) => !/^src\/(commands|schemas)\b|readme/.test(file)) // documents are no messages
      .flatMap((file) =>
        textsOf(file).flatMap((text) =>
          [...text.matchAll(/`(\w+)(?:: \w+)?`/g)].map(([quoted, word = '']) => ({
            file,
            quoted: quoted.slice(1, -1),
            word,
          })),
        ),
      )
    expect(words.length).toBeGreaterThan(100)
    const options = optionNames()
    expect(options.size).toBeGreaterThan(50)
    const unknown = words.filter(
      ({ quoted, word }) =>
        options.has(word) && !Object.hasOwn(OPTION_FLAGS, quoted) && !Object.hasOwn(OPTION_FLAGS, word),
    )
    expect(unknown).toEqual([])
  })

  it('have a flag of some command for every option', () => {
    const gone = Object.values(OPTION_FLAGS).filter(
      (flag) => flag.startsWith('-') && !everyFlag.has(flag.split(' ')[0]!),
    )
    expect(gone).toEqual([])
  })

  it('name only flags that the command has, in the commands themselves', () => {
    // `merge` joins what other commands wrote with --shard.
    const global = ['--json', '--wide', '--help', '--version', '--shard']
    for (const file of files.filter((one) => one.startsWith('src/commands/'))) {
      const id = file.replace('src/commands/', '').replace(/\.ts$/, '').replace('/', ':')
      const own = commands[id] === undefined ? everyFlag : typedFlags(commands[id].flags)
      const stray = textsOf(file)
        .flatMap(flagsIn)
        .filter((flag) => !own.has(flag) && !global.includes(flag))
      expect([basename(file), stray]).toEqual([basename(file), []])
    }
  })
})

describe('the flag of an option', () => {
  afterEach(() => {
    setFlagScope({ own: everyFlag, commandWith: () => null })
  })

  it('has the name of another command before it if the running command has no such flag', () => {
    const own = typedFlags(commands.tokenize!.flags)
    setFlagScope({ own, commandWith: (flag) => (everyFlag.has(flag) ? 'convert' : null) })
    expect(withFlags('try `ignore` "a*", `vocabulary` FILE, or `encode`')).toBe(
      'try convert --ignore "a*", convert --vocab FILE, or `encode`',
    )
    setFlagScope({ own: typedFlags(commands.convert!.flags), commandWith: () => null })
    expect(withFlags('try `ignore` and `checksum: false`')).toBe('try --ignore and --no-checksum')
  })
})

describe('what commands print in tests', () => {
  const told = (stderr: string): string[] => strayFlags(['tokenize', 'm', '--unknown'], { code: 2, stdout: '', stderr })
  it('is held against their flags', () => {
    expect(told('hint: use --ignore "a"\n')).toEqual(['tokenize: --ignore'])
    expect(told('hint: use convert --ignore, --json or --unknown; see `git lfs --x`\n')).toEqual([])
    expect(told('hint: npm install --global albertkit; --frobnicate\n')).toEqual(['tokenize: --frobnicate'])
    const stdout = JSON.stringify({ ok: false, error: { message: 'no', hint: 'use --merge-lora' } })
    expect(strayFlags(['tokenize'], { code: 2, stdout, stderr: '' })).toEqual(['tokenize: --merge-lora'])
    expect(strayFlags(['queue', 'submit'], { code: 2, stdout, stderr: '' })).toEqual([])
  })
})
