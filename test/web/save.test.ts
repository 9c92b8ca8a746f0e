import { expect, it } from 'vitest'
import type { Conversation } from '../../src/web/kit/conversation.js'
import type { KitRequest } from '../../src/web/kit/protocol.js'
import { zipStream } from '../../src/web/kit/save.js'

it('refuses an archive beyond 4 GB before it reads anything', async () => {
  const asked: string[] = []
  const talk = {
    ask: ({ ask }: KitRequest) => {
      asked.push(ask)
      return Promise.resolve([
        { path: 'onnx/model.onnx', bytes: 1e6 },
        { path: 'onnx/model.onnx_data', bytes: 5e9 },
      ])
    },
  } as unknown as Conversation
  await expect(zipStream(talk, 'out')).rejects.toMatchObject({ kind: 'output', code: 'output-failed' })
  expect(asked).toEqual(['list'])
})
