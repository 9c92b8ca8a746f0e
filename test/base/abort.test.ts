import { expect, it } from 'vitest'
import { onAbort } from '../../src/base/abort.js'

it('tells of an abort once, with the reason, and no more when it is ended', () => {
  const told: unknown[] = []
  const controller = new AbortController()
  onAbort(controller.signal, ({ kind, cause }) => told.push([kind, cause]))
  const end = onAbort(controller.signal, () => told.push('ended'))
  end()
  controller.abort('why')
  controller.signal.dispatchEvent(new Event('abort'))
  expect(told).toEqual([['interrupted', 'why']])
  onAbort(undefined, () => told.push('none'))()
})
