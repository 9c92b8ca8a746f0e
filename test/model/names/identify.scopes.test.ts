import { describe, expect, it } from 'vitest'
import { AlbertkitError } from '../../../src/base/errors.js'
import type { TensorInfo, TensorSource } from '../../../src/formats/core/source.js'
import { identify } from '../../../src/model/names/identify.js'
import { fillPattern } from '../../../src/model/names/placeholders.js'
import type { NameTable } from '../../../src/model/names/row.js'
import { NAME_TABLES } from '../../../src/model/names/tables.js'

/** Models below a scope that a graph, or a class of one's own, put before their names. */

const tableOf = (title: string): NameTable => NAME_TABLES.find((table) => table.title === title)!

/** Every name of a one-layer model of a family; `head` stands before those of the heads. */
function namesOf(title: string, body: string, head: string): string[] {
  return tableOf(title).rows.map(
    ({ name, prefixed }) => (prefixed ? body : head) + fillPattern(name, { l: 0, g: 0, j: 0, n: 1 }),
  )
}

function named(names: readonly string[]): TensorSource {
  const info = (name: string): TensorInfo => ({ name, dtype: 'F32', shape: [4], byteLength: 16, file: 'x.ckpt' })
  return {
    format: 'test',
    files: ['x.ckpt'],
    tensors: new Map(names.map((n) => [n, info(n)])),
    notes: [],
  } as unknown as TensorSource
}

const FAMILIES = ['google-research ALBERT', 'google-research BERT', 'Hugging Face ALBERT', 'Hugging Face BERT']
const TENSORFLOW: readonly (readonly [body: string, head: string])[] = [
  ['bert/', ''],
  ['module/bert/', 'module/'],
  ['module/bert/', ''],
  ['task/student_1/bert/', 'task/student_1/'],
  ['albert/', ''],
  ['my_model/', 'my_model/'],
]
const TRANSFORMERS: readonly (readonly [body: string, head: string])[] = [
  ['', ''],
  ['module.', 'module.'],
  ['module.bert.', 'module.'],
  ['encoder.', ''],
  ['model.text_encoder.', 'model.'],
  ['bert_model.', 'bert_model.'],
]

describe.each(FAMILIES)('%s', (title) => {
  const scopes = title.startsWith('Hugging') ? TRANSFORMERS : TENSORFLOW
  it.each(scopes)('body below "%s", heads below "%s"', (body, head) => {
    // A head stands with the body or outside of every scope.
    const names = namesOf(title, body, body.startsWith(head) ? head : '')
    const found = identify(named(names))
    expect(found.table.title).toBe(title)
    const slots = new Set(tableOf(title).rows.map(({ slot }) => fillPattern(slot, { l: 0, g: 0, j: 0, n: 1 })))
    const heads = [...found.mapped.values()].filter(({ row }) => !row.prefixed)
    expect(
      [...found.mapped.values()].filter(({ row }) => row.prefixed).every(({ variable }) => variable.startsWith(body)),
    ).toBe(true)
    expect(new Set(found.mapped.keys())).toEqual(slots)
    expect(heads.length).toBeGreaterThan(0)
    expect(found.unknown).toEqual([])
  })

  it('is preferred at its usual prefix to a copy below a scope, in any order', () => {
    const [usual = '', separator] = title.startsWith('Hugging') ? ['', '.'] : ['bert/', '/']
    const copy = namesOf(title, `a_teacher${separator}${usual}`, `a_teacher${separator}`)
    const own = namesOf(title, usual, '')
    for (const names of [
      [...copy, ...own],
      [...own, ...copy],
    ]) {
      const found = identify(named(names))
      expect([...found.mapped.values()].map(({ variable }) => variable).sort()).toEqual([...own].sort())
      expect([...found.unknown].sort()).toEqual([...copy].sort())
    }
  })

  it('two models below scopes are one too many', () => {
    const [usual = '', separator] = title.startsWith('Hugging') ? ['', '.'] : ['bert/', '/']
    const names = ['query', 'passage'].flatMap((scope) => namesOf(title, `${scope}${separator}${usual}`, 'none/'))
    const error = (() => {
      try {
        return identify(named(names))
      } catch (e) {
        return e
      }
    })()
    expect(error).toBeInstanceOf(AlbertkitError)
    expect(error).toMatchObject({ kind: 'unsupported', place: { file: 'x.ckpt' } })
    expect((error as AlbertkitError).message).toContain('2 models, below query')
  })
})
