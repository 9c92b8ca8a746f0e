import { expect, it } from 'vitest'
import type { BuildReport, BuildStepReport } from '../../../src/api/build/report.js'
import { buildJunit } from '../../../src/report/build/junit.js'
import { buildMarkdown } from '../../../src/report/build/markdown.js'
import { TaskList } from '../../../src/report/build/tasks.js'
import { buildText } from '../../../src/report/build/text.js'

const step = (name: string, more: Partial<BuildStepReport> = {}): BuildStepReport => ({
  ...{ name, status: 'done', why: 'new', seconds: 1, missed: [], error: null },
  ...more,
})

const REPORT: BuildReport = {
  ...{ ok: false, config: '/x/albertkit.config.json', albertkit: '0.1.0', dryRun: false, exitCode: 3 },
  models: [
    {
      ...{ name: 'good', source: 'a', output: 'out/good', status: 'built', why: 'a|b <new>', exitCode: 0, seconds: 2 },
      steps: [step('convert'), step('bench', { status: 'cached', why: null, seconds: null })],
      artefacts: [
        { artefact: 'onnx', files: ['onnx/model.onnx'], bytes: 2e6, maxAbs: 1e-5, agreement: null, accuracy: 0.9, f1: null, p50: null }, // prettier-ignore
      ],
      notes: [],
    },
    {
      ...{ name: 'bad', source: 'b', output: 'out/bad', status: 'failed', why: 'new', exitCode: 3, seconds: 1 },
      steps: [
        step('convert', {
          status: 'failed',
          error: { kind: 'malformed', code: 'header-invalid', message: '"x" & \u001b[31m <y>', file: 'b', hint: 'do' },
        }),
        step('evaluate', { status: 'left', why: null, seconds: null }),
      ],
      artefacts: [],
      notes: [],
    },
  ],
}

it('JUnit XML tells checks from errors, and escapes what it quotes', () => {
  const xml = buildJunit(REPORT)
  expect(xml).toContain('<testsuites name="albertkit build" tests="4" failures="0" errors="1">')
  expect(xml).toContain('<testsuite name="bad" tests="2" failures="0" errors="1" skipped="1" time="1.000">')
  expect(xml).toContain('<error type="malformed" message="&#34;x&#34; &#38; \ufffd[31m &#60;y&#62;">')
  expect(xml).toContain('<skipped message="an earlier step failed"/>')
  expect(xml).not.toContain('\u001b')
})

it('Markdown has the tables, with only the columns that were measured, and escapes names', () => {
  const text = buildMarkdown(REPORT)
  expect(text).toContain('| good | built | 2.0 s | a\\|b \\<new\\> | out/good |')
  expect(text).toContain('| model | artefact | size | max \\|Δ\\| | accuracy |')
  expect(text).toContain('- **bad** convert: "x" & \\\\u001b\\[31m \\<y\\> (b)')
})

it('the text fits 60 columns', () => {
  const lines = buildText(REPORT, 60).split('\n')
  expect(Math.max(...lines.filter((line) => !line.startsWith('bad:')).map((line) => line.length))).toBeLessThanOrEqual(
    60,
  )
  expect(lines.at(-1)).toBe('2 models: 1 built, 1 failed')
})

it('the list of tasks has a line each on a terminal, drawn over, and a line for each change elsewhere', () => {
  const written: string[] = []
  const write = (text: string): void => void written.push(text)
  const live = new TaskList({ write, size: { columns: 20, rows: 10 } })
  live.begin(['one', 'two'])
  live.step('one', 'convert')
  live.progress('one', 'writing a very long name')
  live.clear()
  expect(written).toEqual([
    '· one\n· two\n',
    '\u001b[2A\u001b[J▸ one  convert\n· two\n',
    '\u001b[2A\u001b[J▸ one  writing a v…\n· two\n',
    '\u001b[2A\u001b[J',
  ])
  written.length = 0
  const wide = new TaskList({ write, size: { columns: 20, rows: 10 } })
  wide.begin(['新闻标题分类器', 'a'])
  wide.step('a', 'convert')
  // A line that is too long would be two, and the list not be drawn over. A long name leaves half of it.
  expect(written).toEqual(['· 新闻标题…\n· a\n', `\u001b[2A\u001b[J· 新闻标题…\n▸ a           conv…\n`])
  written.length = 0
  const plain = new TaskList({ write, size: null })
  plain.begin(['one'])
  plain.step('one', 'convert')
  plain.progress('one', 'writing')
  plain.end('one', 'built', 'new')
  expect(written).toEqual(['one: convert\n', 'one: built, new\n'])
})
