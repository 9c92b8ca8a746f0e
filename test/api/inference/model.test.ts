import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTextModel } from '../../../src/api/inference/model.js'
import { ZH_NEWS } from '../../helpers/shared.js'

describe('a model that is opened to read text', () => {
  const left = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('albertkit-text-'))

  it('leaves no folder if opening fails', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'albertkit-open-'))
    try {
      cpSync(ZH_NEWS, directory, { recursive: true })
      rmSync(join(directory, 'labels.txt'), { force: true })
      mkdirSync(join(directory, 'labels.txt'))
      const before = left()
      const labels = openTextModel(directory, 'classify', 'logits')
      await expect(labels).rejects.toMatchObject({ kind: 'malformed', place: { file: join(directory, 'labels.txt') } })
      const short = openTextModel(directory, 'classify', 'logits', { labels: ['a'], maxSeqLength: 1 })
      await expect(short).rejects.toMatchObject({ kind: 'usage' })
      expect(left()).toEqual(before)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
