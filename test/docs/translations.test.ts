import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
/** Fenced blocks of a document. */
const blocks = (text: string): string[] => [...text.matchAll(/^```[^]*?^```$/gm)].map(([block]) => block)
/** Levels of its headings, in order, blocks left out. */
const levels = (text: string): number[] =>
  [...text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^(#+) /gm)].map(([, marks = '']) => marks.length)
/** Columns and rows of its tables. */
const tables = (text: string): number[] =>
  [...text.matchAll(/^\|(?: ?:?-+:? ?\|)+$/gm)].map(([line]) => line.split('|').length - 2)
const rows = (text: string): number => [...text.matchAll(/^\|/gm)].length

const guides = readdirSync(join(ROOT, 'docs/guides')).filter((name) => !name.endsWith('.zh-CN.md'))

describe.each(guides)('the Chinese docs/guides/%s', (name) => {
  const [english, chinese] = [`docs/guides/${name}`, `docs/guides/${name.replace(/\.md$/, '.zh-CN.md')}`].map((path) =>
    existsSync(join(ROOT, path)) ? read(path) : '',
  ) as [string, string]

  it('has the headings, the blocks and the tables of the English one', () => {
    expect(levels(chinese)).toEqual(levels(english))
    expect(blocks(chinese)).toEqual(blocks(english))
    expect(tables(chinese)).toEqual(tables(english))
    expect(rows(chinese)).toBe(rows(english))
  })
})

/** Every document, in both languages. */
const documents = ['README.md', 'README.zh-CN.md', 'CONTRIBUTING.md', 'SECURITY.md'].concat(
  ['docs', 'docs/guides'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
)

/** Anchor of a heading, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')

describe.each(documents)('the links of %s', (path) => {
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
