import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openSource } from '../../src/api/open/source.js'
import type { TensorInfo, TensorSource } from '../../src/formats/core/source.js'
import { leftoverOf } from '../../src/model/load/leftover.js'
import { identify } from '../../src/model/names/identify.js'
import { hasShared, SHARED, ZH_NEWS } from '../helpers/shared.js'

/** Every fixture of every container, with one more variable: a refusal within its encoder, a note outside it. */

const FORMATS = fileURLToPath(new URL('../fixtures/formats', import.meta.url))
/** Folders that hold no model, or several. */
const OTHER = /^(damaged|train_step_.*|fmt_table_cases|fmt_tf2_objects)$/

/** The models in a folder of fixtures: a folder each, or the file in it. */
const modelsIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && !OTHER.test(entry.name))
        .map(({ name }) => join(folder, name))
        .map((path) => (existsSync(join(path, 'model.keras')) ? join(path, 'model.keras') : path))
    : []

const FIXTURES = [
  ZH_NEWS,
  ...['h5', 'keras', 'tf-models', 'bert4keras'].flatMap((name) => modelsIn(join(FORMATS, name))),
  ...(hasShared ? ['tf', 'hf'].flatMap((name) => modelsIn(join(SHARED, name))) : []),
  ...(hasShared ? ['listed', 'nested'].map((name) => join(SHARED, `tf/fmt_tf2_objects/${name}.ckpt`)) : []),
]

const withVariable = (source: TensorSource, info: TensorInfo, name: string): TensorSource => ({
  ...source,
  tensors: new Map([...source.tensors, [name, { ...info, name }]]),
})

/** The last of the characters that part a name into scopes. */
const separatorOf = (name: string): string => /[/.](?=[^/.]*$)/.exec(name)?.[0] ?? '/'

describe('one variable more', () => {
  it.each(FIXTURES)('in %s', async (path) => {
    const source = await openSource(path, { allowMissingData: true, checksum: false })
    try {
      const found = identify(source)
      const body = [...found.mapped.values()].filter(
        ({ row }) => row.prefixed && /^(encoder|embeddings)/.test(row.slot),
      )
      const scopes = [
        ...new Set(body.map(({ variable }) => variable.slice(0, variable.lastIndexOf(separatorOf(variable))))),
      ]
      const wrong: string[] = []
      for (const scope of scopes.slice(0, 60)) {
        const separator = separatorOf(`${scope}${separatorOf(body[0]!.variable)}x`)
        for (const tail of ['adapter_news/kernel', 'unheard_of', 'gate/weight']) {
          const name = `${scope}${separator}${tail.replaceAll('/', separator)}`
          const more = withVariable(source, source.tensors.get(body[0]!.variable)!, name)
          const left = leftoverOf(more, identify(more))
          if (!left.inside.includes(name)) wrong.push(`inside: ${name}`)
        }
      }
      for (const name of ['head_of_mine/kernel', 'crf_layer.transitions', 'zz_projection/W']) {
        const more = withVariable(source, source.tensors.get(body[0]!.variable)!, name)
        const left = leftoverOf(more, identify(more))
        if (!left.outside.includes(name)) wrong.push(`outside: ${name}`)
      }
      expect(wrong).toEqual([])
    } finally {
      source.close()
    }
  })
})
