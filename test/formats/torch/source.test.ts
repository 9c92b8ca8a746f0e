import { join } from 'node:path'
import { expect, it } from 'vitest'
import { disk } from '../../../src/files/disk.js'
import { openSafetensors } from '../../../src/formats/safetensors/source.js'
import { readAll } from '../../../src/formats/core/source.js'
import { openShardedTorch, openTorch } from '../../../src/formats/torch/source.js'
import { describeShared, fixtures, SHARED } from '../../helpers/shared.js'

describeShared('PyTorch files of transformers', () => {
  const both = fixtures('hf', 'pytorch_model.bin').filter((name) => name !== 'bert_seqcls_gamma_beta')
  it.each(both)('%s has the bytes of the safetensors next to it', (name) => {
    const torch = openTorch(disk, join(SHARED, 'hf', name, 'pytorch_model.bin'))
    const safe = openSafetensors(disk, join(SHARED, 'hf', name, 'model.safetensors'))
    for (const [tensor, info] of safe.tensors) {
      const found = torch.tensors.get(tensor)
      expect({ dtype: found?.dtype, shape: found?.shape }).toEqual({ dtype: info.dtype, shape: info.shape })
      expect(readAll(torch, tensor), tensor).toEqual(readAll(safe, tensor))
    }
    // What safetensors leaves out is tied.
    const more = [...torch.tensors.keys()].filter((tensor) => !safe.tensors.has(tensor))
    expect(more.filter((tensor) => !/decoder\.(weight|bias)$|position_ids$/.test(tensor))).toEqual([])
    torch.close()
    safe.close()
  })

  it('there are as many as there should be', () => {
    expect(both.length).toBeGreaterThanOrEqual(6)
  })

  it('albert_pretraining_bin_sharded is put together from four files', () => {
    const source = openShardedTorch(
      disk,
      join(SHARED, 'hf/albert_pretraining_bin_sharded/pytorch_model.bin.index.json'),
    )
    expect(source.files).toHaveLength(5)
    expect(source.tensors.size).toBeGreaterThan(25)
    for (const name of source.tensors.keys()) readAll(source, name)
    source.close()
  })
})
