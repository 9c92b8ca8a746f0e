import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { inspectModel } from '../../../src/api/inspect/inspect.js'
import { openModel } from '../../../src/api/open/open.js'
import { inspectText } from '../../../src/report/text/inspect.js'
import { withFlags } from '../../../src/commands/common/option-flags.js'
import { KINDS, writeRandomModel, type Shape, SMALL } from '../../helpers/random-model.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-draft-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
let made = 0

const SHAPE: Shape = { ...SMALL, layers: 4, groups: 2 }

/** A random model whose configuration is taken away; returns that too. */
async function bare(kind: (typeof KINDS)[number], shape: Partial<Shape> = {}) {
  const directory = join(folder, String(made++))
  await writeRandomModel(directory, kind, { ...SHAPE, ...shape })
  const opened = await openModel(directory)
  opened.close()
  const [name] = readdirSync(directory).filter((one) => /config.*\.json$/.test(one))
  const text = readFileSync(join(directory, name!), 'utf8')
  rmSync(join(directory, name!))
  return { directory, name: name!, fields: JSON.parse(text) as Record<string, unknown>, config: opened.config }
}

describe.each(KINDS)('a model of %s without a configuration', (kind) => {
  it.each(kind === 'zh' ? (['all', 'none', 'attention'] as const) : (['all'] as const))(
    'is inspected, and its draft is completed to its own configuration (%s shared)',
    async (sharing) => {
      const { directory, fields, config } = await bare(kind, { sharing, preNorm: sharing === 'attention' })
      const path = join(folder, `${made++}.json`)
      const report = await inspectModel(directory, { writeConfig: path })
      expect([report.ok, report.config, report.family]).toEqual([false, null, config.family])
      expect(report.variables.length).toBeGreaterThan(10)
      expect(report.notes.join()).toContain('there is no configuration')
      const { draft } = report
      expect(draft!.unknown).toContain('num_attention_heads')
      // What the draft says is true of the model, and nothing else is in the file.
      for (const [field, value] of Object.entries(draft!.fields))
        if (value !== null && !draft!.assumed.includes(field) && field in config)
          expect([field, value]).toEqual([field, config[field as keyof typeof config]])
      const saved = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
      expect(saved).toEqual(draft!.fields)
      // A draft that is not completed is refused by its field.
      await expect(openModel(directory, { config: path })).rejects.toMatchObject({ code: 'config-invalid' })
      const completed = Object.fromEntries(draft!.unknown.map((field) => [field, fields[field]]))
      writeFileSync(path, JSON.stringify({ ...saved, ...completed }))
      const again = await openModel(directory, { config: path })
      again.close()
      const { file: _, id2label: __, hidden_act: ___, ...expected } = config
      expect(again.config).toMatchObject(expected)
    },
  )
})

describe('a draft', () => {
  it('names published models of its sizes', async () => {
    const { directory } = await bare('bert', { hidden: 768, intermediate: 3072, layers: 1, heads: [] })
    const { draft } = await inspectModel(directory)
    expect(draft?.similar.map(({ name }) => name)).toContain('bert-base')
    expect(draft?.similar[0]?.fields).toEqual({ num_attention_heads: 12 })
  })

  it('is not written over a file, and not for a model with a configuration', async () => {
    const { directory, name, fields } = await bare('hf bert')
    const path = join(folder, 'there.json')
    writeFileSync(path, 'mine')
    await expect(inspectModel(directory, { writeConfig: path })).rejects.toMatchObject({ code: 'output-exists' })
    expect(readFileSync(path, 'utf8')).toBe('mine')
    writeFileSync(join(directory, name), JSON.stringify(fields))
    const other = join(folder, 'other.json')
    await expect(inspectModel(directory, { writeConfig: other })).rejects.toMatchObject({ code: 'option-conflict' })
    expect(existsSync(other)).toBe(false)
  })

  it('is reported as text', async () => {
    const text = withFlags(inspectText(await inspectModel((await bare('zh')).directory)))
    expect(text).toMatch(/config {3}absent; the weights show vocab_size \d+, embedding_size 16, hidden_size 32/)
    expect(text).toContain('a configuration must say num_hidden_layers, num_attention_heads')
    expect(text).toContain('--write-config saves a draft of albert_config.json')
  })
})
