import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openSource } from '../../../src/api/open/source.js'
import { torchLegacy, torchZip } from '../../helpers/torch.js'

/** What trainers call their files: the bytes say that they are PyTorch's. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-torch-names-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})
const tensors = [{ name: 'a.weight', shape: [2], bytes: new Uint8Array(8) }]

describe.each(['best.ckpt', 'checkpoint.pth.tar', 'model.pt', 'epoch=3-step=10.ckpt'])('%s', (name) => {
  it.each(['zip', 'legacy'] as const)('of the %s format is read, by its name and by its folder', async (format) => {
    const folder = join(out, `${format} ${name}`)
    mkdirSync(folder)
    writeFileSync(join(folder, name), format === 'zip' ? await torchZip(tensors) : torchLegacy(tensors))
    for (const path of [join(folder, name), folder]) {
      const source = await openSource(path)
      expect(source.format).toBe('torch')
      expect([...source.tensors.keys()]).toEqual(['a.weight'])
      source.close()
    }
  })
})
