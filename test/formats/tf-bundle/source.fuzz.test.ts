import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, it } from 'vitest'
import { fuzz } from '../../helpers/fuzz.js'
import { describeShared, SHARED } from '../../helpers/shared.js'

/** Damage that no checksum finds: whatever is read, nothing but a typed error comes out, and soon. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-fuzz-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

describeShared('any byte changed, or any end cut off', () => {
  const tf = (name: string): string => join(SHARED, 'tf', name)
  const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/formats/${name}`, import.meta.url))
  const cases: readonly (readonly [string, string, (directory: string) => [file: string, open: string]])[] = [
    ['a frozen graph', tf('fmt_frozen/frozen_model.pb'), (d) => [join(d, 'x.pb'), join(d, 'x.pb')]],
    ['a V1 checkpoint', fixture('dtypes-v1.ckpt'), (d) => [join(d, 'x.ckpt'), join(d, 'x.ckpt')]],
    [
      'saved_model.pb',
      tf('fmt_tf2_savedmodel/saved_model/saved_model.pb'),
      (directory) => {
        mkdirSync(join(directory, 'variables'))
        for (const name of ['variables.index', 'variables.data-00000-of-00001']) {
          const from = join(tf('fmt_tf2_savedmodel/saved_model/variables'), name)
          writeFileSync(join(directory, 'variables', name), readFileSync(from))
        }
        return [join(directory, 'saved_model.pb'), directory]
      },
    ],
    [
      'the data of a checkpoint of objects',
      fixture('objects.ckpt.data-00000-of-00001'),
      (directory) => {
        writeFileSync(join(directory, 'x.index'), readFileSync(fixture('objects.ckpt.index')))
        return [join(directory, 'x.data-00000-of-00001'), join(directory, 'x')]
      },
    ],
    [
      'the index of a partitioned checkpoint',
      tf('fmt_partitioned/model.ckpt.index'),
      (directory) => {
        const data = 'model.ckpt.data-00000-of-00001'
        writeFileSync(join(directory, data), readFileSync(join(tf('fmt_partitioned'), data)))
        return [join(directory, 'model.ckpt.index'), join(directory, 'model.ckpt')]
      },
    ],
  ]
  it.each(cases)('of %s', async (_, original, prepare) => {
    const [file, open] = prepare(mkdtempSync(join(out, 'case-')))
    await fuzz(file, readFileSync(original), { open })
  })
})
