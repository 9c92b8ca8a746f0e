import { describe, expect, it } from 'vitest'
import { confusionChart } from '../../../src/report/chart/confusion.js'
import { LOOKS, PALETTES } from '../../../src/report/chart/look.js'
import { chartSvg } from '../../../src/report/chart/render.js'

const evaluation = {
  labels: ['体育', '财经', '科技'],
  // No prediction of 科技 is right, none of 财经 is wrong.
  confusion: [
    [2, 1, 1],
    [0, 3, 0],
    [2, 0, 0],
  ],
  accuracy: 5 / 9,
  lines: 9,
} as unknown as Parameters<typeof confusionChart>[0]

describe.each(LOOKS)('the confusion matrix, %s', (look) => {
  const { background, ramp } = PALETTES[look]

  it('has the colours of all pictures, and that of the background for a count of 0', async () => {
    const svg = await chartSvg(confusionChart(evaluation, look), look)
    const cells = [...svg.matchAll(/aria-roledescription="rect mark"[^>]* fill="([^"]+)"/g)].map(([, fill]) => fill)
    expect(cells).toHaveLength(9)
    expect(cells.filter((fill) => fill === background)).toHaveLength(4)
    const rgb = (hex: string): string => `rgb(${[1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)).join(', ')})`
    expect(cells).toContain(rgb(ramp.at(-1)!))
  })

  it('has a legend from 0 to 100 %', async () => {
    const svg = await chartSvg(confusionChart(evaluation, look), look)
    expect([...svg.matchAll(/>(\d+%)</g)].map(([, text]) => text)).toEqual(['0%', '50%', '100%'])
  })
})
