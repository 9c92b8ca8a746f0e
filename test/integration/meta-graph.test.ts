import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { disk } from '../../src/files/disk.js'
import { examineModel } from '../../src/api/open/open.js'
import { RangedFile } from '../../src/formats/core/file.js'
import { openSource } from '../../src/api/open/source.js'
import { WireReader } from '../../src/formats/tf-proto/wire.js'
import { describeShared, SHARED } from '../helpers/shared.js'

/** Puts a `.meta` file next to a checkpoint: a `.meta` is the meta graph that a TF1 SavedModel contains. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-meta-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function metaGraphOf(savedModel: string): Uint8Array {
  const file = new RangedFile(disk, savedModel)
  const [field] = [...new WireReader(file, 'SavedModel').fields(0, file.size)].filter((f) => f.number === 2)
  const bytes = file.bytes(field!.start, field!.end - field!.start)
  file.close()
  return bytes
}

describeShared('a .meta file', () => {
  const checkpoint = join(folder, 'model')
  const meta = join(checkpoint, 'model.ckpt-3.meta')
  const notesWith = async (config: Record<string, unknown>): Promise<readonly string[]> => {
    const fields = JSON.parse(readFileSync(join(SHARED, 'tf/zh_classifier/albert_config.json'), 'utf8')) as Record<
      string,
      unknown
    >
    writeFileSync(join(checkpoint, 'albert_config.json'), JSON.stringify({ ...fields, ...config }))
    const examined = await examineModel(checkpoint)
    examined.close()
    return examined.notes
  }

  it('is compared with the configuration, and belongs to the files', async () => {
    cpSync(join(SHARED, 'tf/zh_classifier'), checkpoint, { recursive: true })
    writeFileSync(meta, metaGraphOf(join(SHARED, 'tf/fmt_savedmodel_tf1/saved_model/saved_model.pb')))
    expect((await notesWith({})).join('\n')).toContain('the graph in model.ckpt-3.meta agrees with the configuration')
    expect((await notesWith({ num_attention_heads: 8 })).join('\n')).toContain(
      'num_attention_heads is 8, but the graph',
    )
    expect((await notesWith({ num_hidden_layers: 5 })).join('\n')).toContain('num_hidden_layers is 5, but the graph')
    const source = await openSource(meta)
    expect(source.files).toContain(meta)
    expect(source.tensors.get('bert/pooler/dense/kernel')?.shape).toEqual([32, 32])
    source.close()
  })

  it('that TensorFlow wrote is read', async () => {
    const examined = await examineModel(join(SHARED, 'tf/zh_postln_all'))
    expect(examined.notes.join()).toMatch(
      /model\.ckpt\.meta agrees .*heads 4, .*layers 3, hidden_act gelu_tanh, layer_norm_eps 1e-12, norm_position post/,
    )
    examined.close()
  })

  it('that is damaged is ignored, with a note', async () => {
    writeFileSync(meta, readFileSync(meta).subarray(0, 5000))
    expect((await notesWith({})).join('\n')).toMatch(/the graph in model\.ckpt-3\.meta is left out: not a readable/)
  })

  it('alone is not a model', async () => {
    const alone = mkdtempSync(join(folder, 'alone-'))
    writeFileSync(join(alone, 'model.ckpt.meta'), '')
    await expect(openSource(alone)).rejects.toThrow('a .meta file holds the graph and no weights')
    await expect(openSource(join(alone, 'model.ckpt.meta'))).rejects.toThrow('holds the graph and no weights')
  })
})
