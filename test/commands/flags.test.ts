import { expect, it } from 'vitest'
import { commandsOf, describeCommand } from '../helpers/manifest.js'

// Scripts rely on these names. A change shows here and belongs in CHANGELOG.md; `npx vitest -u` takes it over.
it('every command has the arguments and flags that it had', async () => {
  const text = Object.values(commandsOf('standalone')).map(describeCommand).join('\n')
  await expect(text).toMatchFileSnapshot('flags.snapshot.txt')
})
