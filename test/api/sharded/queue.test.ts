import { describe, expect, it } from 'vitest'
import { Models } from '../../../src/api/sharded/models.js'
import type { TextJob } from '../../../src/api/inference/job.js'
import type { TextModel } from '../../../src/api/inference/text-model.js'

const job = (model: string, over: Partial<TextJob> = {}): TextJob => ({
  model,
  input: 'a.tsv',
  format: 'jsonl',
  ...over,
})

/** Opens models that only say when they are opened and closed. */
function opener(): { said: string[]; open: (command: string, job: TextJob) => Promise<TextModel> } {
  const said: string[] = []
  return {
    said,
    open: (command, { model }) => {
      said.push(`open ${command} ${model}`)
      if (model === 'absent' && said.length === 1) return Promise.reject(new Error('not yet'))
      const closed = () => Promise.resolve(void said.push(`close ${model}`))
      return Promise.resolve({ close: closed } as unknown as TextModel)
    },
  }
}
const nothing = (): Promise<void> => Promise.resolve()

describe('models of a worker', () => {
  it('stay open for the shards that follow, of another file and another command too', async () => {
    const { said, open } = opener()
    const models = new Models(open)
    await models.use('predict', job('one'), nothing)
    await models.use('predict', job('one', { input: 'b.jsonl', format: 'tsv', batch: 8 }), nothing)
    await models.use('evaluate', job('one'), nothing)
    expect(said).toEqual(['open predict one'])
    await models.use('embed', job('one', { pooling: 'mean' }), nothing)
    await models.use('predict', job('two'), nothing)
    await models.close()
    expect(said).toEqual([
      'open predict one',
      'open embed one',
      'close one',
      'open predict two',
      'close one',
      'close two',
    ])
  })

  it('are not closed under a shard that is being computed', async () => {
    const { said, open } = opener()
    const models = new Models(open)
    await models.use('predict', job('one'), async () => {
      await models.use('predict', job('two'), nothing)
      expect(said).toEqual(['open predict one', 'open predict two'])
    })
    await models.close()
    expect(said.slice(2).sort()).toEqual(['close one', 'close two'])
  })

  it('that did not open are opened anew', async () => {
    const { said, open } = opener()
    const models = new Models(open)
    await expect(models.use('predict', job('absent'), nothing)).rejects.toThrow('not yet')
    await models.use('predict', job('absent'), nothing)
    expect(said).toEqual(['open predict absent', 'open predict absent'])
    await models.close()
  })
})
