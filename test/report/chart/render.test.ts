import { describe, expect, it } from 'vitest'
import { escapeXml } from '../../../src/base/escape.js'
import { chartSvg, svgPng, withOwnIds } from '../../../src/report/chart/render.js'
import { textWidth } from '../../../src/report/chart/text-width.js'

const spec = {
  title: { text: '新闻分类 <b>', subtitle: 'headlines by class' },
  data: {
    values: [
      { label: '体育', n: 3 },
      { label: 'entertainment', n: 5 },
    ],
  },
  mark: { type: 'bar', clip: true },
  encoding: { y: { field: 'label', type: 'nominal' }, x: { field: 'n', type: 'quantitative', title: 'headlines' } },
}
const chart = { spec, alt: 'Headlines by class: 体育 3, entertainment 5' }

describe('chartSvg', () => {
  it('draws titles, labels and what the picture shows, the same each time', async () => {
    const svg = await chartSvg(chart, 'light')
    for (const text of ['体育', 'entertainment', 'headlines', '新闻分类 &lt;b&gt;', '<title>Headlines by class'])
      expect(svg).toContain(text)
    expect(await chartSvg(chart, 'light')).toBe(svg)
    expect(svg).toContain('#ffffff')
  })

  it('has a dark look', async () => {
    const svg = await chartSvg(chart, 'dark')
    expect(svg).toContain('#0d1117')
    expect(svg).not.toContain('#ffffff')
  })
})

describe('svgPng', () => {
  it('is a PNG of twice the size with ink in it', async () => {
    const svg = await chartSvg(chart, 'light')
    const png = Buffer.from(await svgPng(svg, 'light'))
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    const width = Number(/width="(\d+)"/.exec(svg)?.[1])
    expect(png.readUInt32BE(16)).toBe(2 * width)
    expect(png.length).toBeGreaterThan(4000)
  })
})

describe('textWidth', () => {
  it('knows that Chinese is twice as wide as Latin', () => {
    expect(textWidth('体育新闻', 10)).toBeGreaterThan(1.7 * textWidth('head', 10))
    expect(textWidth('illi', 10)).toBeLessThan(0.5 * textWidth('MWMW', 10))
    expect(textWidth('', 10)).toBe(0)
  })
})

describe('markup', () => {
  it('is escaped', () => {
    expect(escapeXml('<a href="x">&\u0000</a>')).toBe('&#60;a href=&#34;x&#34;&#62;&#38;\ufffd&#60;/a&#62;')
  })
  it('keeps the ids of two pictures apart', () => {
    expect(withOwnIds('<clipPath id="clip1"/><g clip-path="url(#clip1)"/>', 'a')).toBe(
      '<clipPath id="a-clip1"/><g clip-path="url(#a-clip1)"/>',
    )
  })
})
