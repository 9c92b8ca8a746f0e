import { expect, it } from 'vitest'
import { commandsOf, describeCommand } from '../helpers/manifest.js'

// Scripts rely on these names. A change shows here and belongs in CHANGELOG.md; `npx vitest -u` takes it over.
it('every command has the arguments and flags that it had', async () => {
  const text = Object.values(commandsOf('standalone')).map(describeCommand).join('\n')
  await expect(text).toMatchFileSnapshot('flags.snapshot.txt')
})

interface Input {
  readonly multiple?: boolean
  readonly multipleNonGreedy?: boolean
  readonly ignoreStdin?: boolean
}
type Inputs = Readonly<Record<string, Input>>

it.each(Object.keys(commandsOf('standalone')))(
  '%s: no flag takes the arguments behind its value, and no argument is read from standard input',
  async (id) => {
    const path = `../../src/commands/${id.replaceAll(':', '/')}.ts`
    const { default: command } = (await import(path)) as { default: { flags: Inputs; args?: Inputs } }
    for (const [name, { multiple, multipleNonGreedy }] of Object.entries(command.flags))
      expect([name, multipleNonGreedy]).toEqual([name, multiple === true ? true : multipleNonGreedy])
    for (const [name, { ignoreStdin }] of Object.entries(command.args ?? {}))
      expect([name, ignoreStdin]).toEqual([name, true])
  },
)
