import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'
import { blocksOf, DOCUMENTS, readDocument } from './documents.js'

const read = readDocument
/** Levels of its headings, in order, blocks left out. */
const levels = (text: string): number[] =>
  [...text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^(#+) /gm)].map(([, marks = '']) => marks.length)
/** Columns and rows of its tables. */
const tables = (text: string): number[] =>
  [...text.matchAll(/^\|(?: ?:?-+:? ?\|)+$/gm)].map(([line]) => line.split('|').length - 2)
const rows = (text: string): number => [...text.matchAll(/^\|/gm)].length

/** Guides, and other documents that are there in Chinese. */
const translated = DOCUMENTS.filter((path) => !path.endsWith('.zh-CN.md')).filter(
  (path) => path.startsWith('docs/guides/') || existsSync(join(ROOT, path.replace(/\.md$/, '.zh-CN.md'))),
)

it('the guides in Chinese lead to guides in Chinese, if there are any', () => {
  const index = read('docs/guides/README.zh-CN.md')
  const english = [...index.matchAll(/\]\(([^)]+)\.md\)/g)].map(([, name = '']) => join('docs/guides', name))
  expect(english.length).toBeGreaterThan(8)
  expect(english.filter((name) => existsSync(join(ROOT, `${name}.zh-CN.md`)))).toEqual([])
})

describe.each(translated)('the Chinese %s', (path) => {
  const chinesePath = path.replace(/\.md$/, '.zh-CN.md')
  const [english, chinese] = [read(path), existsSync(join(ROOT, chinesePath)) ? read(chinesePath) : '']

  it('has the headings, the blocks and the tables of the English one', () => {
    expect(levels(chinese)).toEqual(levels(english))
    expect(blocksOf(chinese)).toEqual(blocksOf(english))
    expect(tables(chinese)).toEqual(tables(english))
    expect(rows(chinese)).toBe(rows(english))
  })
})

/** Anchor of a heading, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')

describe.each(DOCUMENTS)('the links of %s', (path) => {
  it('lead to files and headings that are there', () => {
    const text = read(path).replaceAll(/^```[^]*?^```$/gm, '')
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      if (/^[a-z]+:/.test(target)) return []
      const [file = '', anchor] = target.split('#')
      const found = file === '' ? path : join(path, '..', file)
      if (!existsSync(join(ROOT, found))) return [target]
      if (anchor === undefined || !found.endsWith('.md')) return []
      const headings = [...read(found).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
      return headings.includes(anchor) ? [] : [target]
    })
    expect(broken).toEqual([])
  })
})
