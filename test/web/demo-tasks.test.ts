import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertModel } from '../../src/api/convert/convert.js'
import type { FilledMask, SentenceOrder } from '../../src/api/inference/report.js'
import type { TaggedSpan } from '../../src/api/inference/tags/predict-tags.js'
import { servePage } from '../../src/api/serve/serve-page.js'
import { CHROMIUM } from '../helpers/gpu.js'
import { PASSAGE, QUESTIONS, TEXTS, writeReadingModel } from '../helpers/reading-models.js'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'
import { complaints, openPage, type WebPage } from '../helpers/web-page.js'

/** Tasks other than classification, each against the command of the same task. */

const folder = mkdtempSync(join(tmpdir(), 'albertkit-demo-tasks-'))
const at = (name: string): string => join(folder, name)

beforeAll(async () => {
  for (const task of ['token-classification', 'qa'] as const) {
    await writeReadingModel(at(task), task)
    await convertModel(at(task), at(`${task}-out`), { targets: ['onnx'], verify: false })
  }
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** Opens the page of a folder for the time of `body`. */
async function inPage(directory: string, body: (web: WebPage) => Promise<void>): Promise<void> {
  const web = await openPage(await servePage({ directory }), { locale: 'en', viewport: { width: 1000, height: 800 } })
  try {
    await body(web)
    expect(await complaints(web.page)).toEqual([])
    expect(web.wrong).toEqual([])
  } finally {
    await web.close()
  }
}

/** What a command prints as JSON. */
async function asked<T>(...args: readonly string[]): Promise<T> {
  const { stdout, stderr } = await albertkit(args)
  expect(stdout, stderr).not.toBe('')
  return JSON.parse(stdout) as T
}

const field = ({ page }: WebPage, name: string) =>
  page.getByRole('tabpanel').getByRole('textbox', { name, exact: true })
const bars = ({ page }: WebPage) => page.getByRole('tabpanel').locator('.values li')

/** Names and numbers of the bars. */
const barsOf = async (web: WebPage): Promise<string[][]> =>
  (await bars(web).allInnerTexts()).map((text) => text.split(/\n+/))

describe.skipIf(CHROMIUM === null)("the page of a folder's artefacts, for other tasks", () => {
  it('fills masks and tells the order of sentences, with a model that is converted in the page', async () => {
    const text = '国家[MASK]公布新一期集训[MASK]单'
    const [first, second] = ['央行下调存款准备金率', '股市随后小幅上涨']
    await inPage(ZH_NEWS, async (web) => {
      await web.page.getByRole('tab', { name: 'Masked words' }).click()
      await field(web, 'Text with [MASK] in place of words').fill(text)
      await web.page.getByRole('heading', { name: 'Mask 2' }).waitFor()
      const { masks } = await asked<{ masks: FilledMask[] }>('fill-mask', ZH_NEWS, text, '--json')
      expect(await barsOf(web)).toEqual(
        masks.flatMap(({ candidates }) => candidates.map((one) => [one.token, one.probability.toFixed(6)])),
      )
      await web.page.getByRole('button', { name: 'Insert [MASK]' }).click()
      expect(await field(web, 'Text with [MASK] in place of words').inputValue()).toContain('单[MASK]')
      await web.page.getByRole('tab', { name: 'Sentence order' }).click()
      await field(web, 'First text').fill(first)
      await field(web, 'Second text').fill(second)
      await web.page.getByText(`${first.length + second.length + 3} tokens`).waitFor()
      const { probabilities } = await asked<SentenceOrder>('sentence-order', ZH_NEWS, first, second, '--json')
      const shown = await barsOf(web)
      expect(Number(shown[0]![1])).toBeCloseTo(probabilities.inOrder, 5)
      expect(Number(shown[1]![1])).toBeCloseTo(probabilities.swapped, 5)
      // The second text is told from the first.
      expect(await web.page.getByRole('tabpanel').locator('.tokens .second').count()).toBe(second.length + 1)
    })
  })

  it('highlights tags', async () => {
    const text = TEXTS[0]!
    writeFileSync(at('text.txt'), `${text}\n`)
    await inPage(at('token-classification-out'), async (web) => {
      await field(web, 'Text').fill(text)
      await web.page.getByText(`${text.length + 2} tokens`).waitFor()
      const { spans } = await asked<{ spans: TaggedSpan[] }>(
        ...['predict', at('token-classification-out'), at('text.txt'), '--format', 'jsonl'],
      )
      expect(spans.length).toBeGreaterThan(0)
      const marks = await web.page.locator('mark').allInnerTexts()
      expect(marks).toEqual(spans.map((span) => `${span.text} ${span.type}`))
    })
  })

  it('answers questions', async () => {
    writeFileSync(at('question.txt'), `${QUESTIONS[0]}\n`)
    await inPage(at('qa-out'), async (web) => {
      await field(web, 'Question').fill(QUESTIONS[0]!)
      await field(web, 'Passage').fill(PASSAGE)
      const mark = web.page.locator('mark')
      await mark.waitFor()
      const { answer } = await asked<{ answer: string }>(
        ...['predict', at('qa-out'), at('question.txt'), '--context', PASSAGE, '--format', 'jsonl'],
      )
      expect(await mark.innerText()).toBe(answer)
    })
  })
})
