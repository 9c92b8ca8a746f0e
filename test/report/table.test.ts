import { describe, expect, it } from 'vitest'
import { displayWidth } from '../../src/report/display-width.js'
import { table } from '../../src/report/table.js'

const widest = (text: string): number => Math.max(...text.split('\n').map(displayWidth))

describe('a table in a terminal of 40 to 200 columns', () => {
  const head = ['runner', 'output', 'max |Δ|', 'bound', '']
  const row = ['onnxruntime', 'last_hidden_state (masked rows)', '1.7e-6', '3.1e-5', 'ok']

  it.each([40, 50, 60, 80, 200])('fits %i columns', (width) => {
    const text = table([row], { head, right: [2, 3], width })
    expect(widest(text)).toBeLessThanOrEqual(width)
    for (const cell of ['1.7e-6', '3.1e-5', 'ok']) expect(text).toContain(cell)
  })

  it('is printed as several, with the first column each, if its numbers do not fit side by side', () => {
    const labels = ['体育', '娱乐', '家居', '房产', '教育', '时尚', '时政', '游戏']
    const rows = labels.map((label, i) => [label, ...labels.map((_, j) => String(10 * i + j))])
    const right = labels.map((_, i) => i + 1)
    const text = table(rows, { head: ['', ...labels], right, width: 40 })
    const parts = text.split('\n\n').map((part) => part.split('\n'))
    expect(parts).toHaveLength(2)
    for (const [, ...lines] of parts) expect(lines.map((line) => line.split(/\s/)[0])).toEqual(labels)
    expect(widest(text)).toBeLessThanOrEqual(40)
    const numbers = parts.flatMap(([, ...lines]) => lines.flatMap((line) => line.trim().split(/\s+/).slice(1)))
    expect(numbers.map(Number).sort((a, b) => a - b)).toEqual(
      rows.flatMap((own) => own.slice(1).map(Number)).sort((a, b) => a - b),
    )
  })
})

describe('a table', () => {
  it('may have more rows than a call may have arguments', () => {
    const rows = Array.from({ length: 150_000 }, (_, i) => [`tensor ${i}`, String(i)])
    const lines = table(rows, { head: ['name', 'n'], right: [1], width: 80 }).split('\n')
    expect(lines).toHaveLength(150_001)
    expect(lines[0]).toBe('name                n')
    expect(lines.at(-1)).toBe('tensor 149999  149999')
  })
})
