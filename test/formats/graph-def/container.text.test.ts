import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { AlbertkitError } from '../../../src/base/errors.js'
import { openSource } from '../../../src/api/open/source.js'
import { describeShared, SHARED } from '../../helpers/shared.js'

/** Graphs in text form: said to be what they are, and in nobody's way. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-graph-text-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

const GRAPH = 'node {\n  name: "bert/encoder/Const"\n  op: "Const"\n}\nversions {\n  producer: 1395\n}\n'
const refusal = async (path: string): Promise<AlbertkitError> =>
  openSource(path).then(
    () => expect.unreachable('it opened'),
    (error: unknown) => error as AlbertkitError,
  )

describe('a graph in text form', () => {
  it.each(['', 'graph.pbtxt'])('alone is refused with what to do (given as directory/%s)', async (name) => {
    const folder = join(out, `alone-${name}`)
    mkdirSync(folder)
    writeFileSync(join(folder, 'graph.pbtxt'), GRAPH)
    const error = await refusal(join(folder, name))
    expect(error.kind).toBe('unsupported')
    expect(error.place.file).toBe(join(folder, 'graph.pbtxt'))
    expect(error.hint).toContain('as_text=False')
  })
})

describeShared('beside the weights', () => {
  it('does not hide a checkpoint, and given alone names it', async () => {
    const folder = join(out, 'beside')
    cpSync(join(SHARED, 'tf/google_base_like'), folder, { recursive: true })
    writeFileSync(join(folder, 'graph.pbtxt'), GRAPH)
    const source = await openSource(folder)
    expect(source.format).toBe('tf-bundle')
    source.close()
    const error = await refusal(join(folder, 'graph.pbtxt'))
    expect(error.kind).toBe('unsupported')
    expect(error.hint).toContain('directory')
  })

  it('of a SavedModel leads to its variables', async () => {
    const folder = join(out, 'saved')
    cpSync(join(SHARED, 'tf/fmt_savedmodel_tf1/saved_model'), folder, { recursive: true })
    rmSync(join(folder, 'saved_model.pb'))
    writeFileSync(join(folder, 'saved_model.pbtxt'), 'saved_model_schema_version: 1\n')
    const error = await refusal(folder)
    expect(error.kind).toBe('unsupported')
    expect(error.hint).toContain('variables/variables')
    const source = await openSource(join(folder, 'variables/variables'))
    expect(source.tensors.size).toBeGreaterThan(10)
    source.close()
  })
})
