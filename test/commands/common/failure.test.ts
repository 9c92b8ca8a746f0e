import { readFileSync } from 'node:fs'
import { afterEach, expect, it, vi } from 'vitest'
import { reportFailure, UNEXPECTED_EXIT } from '../../../src/commands/common/failure.js'
import { ROOT } from '../../helpers/run.js'

afterEach(() => {
  vi.restoreAllMocks()
})

it('an unexpected error is one of albertkit, and says where to report it, once there is such a place', async () => {
  const { bugs } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { bugs?: { url: string } }
  let text = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((...args: unknown[]) => {
    text += String(args[0])
    args.forEach((done) => {
      if (typeof done === 'function') (done as () => void)()
    })
    return true
  })
  const code = await reportFailure(new RangeError('Invalid array length'), { json: false, help: 'albertkit --help' })
  expect(code).toBe(UNEXPECTED_EXIT)
  expect(text).toContain('unexpected error: Invalid array length\n')
  const where = bugs === undefined ? 'please report it,' : `please report it at ${bugs.url},`
  expect(text).toContain(`hint: this is a bug in albertkit, ${where}`)
  expect(text).not.toContain('failure.test.ts')
})
