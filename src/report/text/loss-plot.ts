/** A curve in text, eight levels a character: each column is the mean of a part of the values. */

const WIDTH = 60
const HEIGHT = 6
const LEVELS = ' ▁▂▃▄▅▆▇█'

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Lines of the curve with the scale at the left; none if there are too few values for one. */
export function lossPlot(values: readonly number[]): string[] {
  const finite = values.filter(Number.isFinite)
  if (finite.length < 8) return []
  const width = Math.min(WIDTH, finite.length)
  const columns = Array.from({ length: width }, (_, i) =>
    mean(finite.slice(Math.floor((i * finite.length) / width), Math.floor(((i + 1) * finite.length) / width))),
  )
  const top = Math.max(...columns)
  return Array.from({ length: HEIGHT }, (_, row) => {
    const floor = HEIGHT - 1 - row
    const cells = columns.map((value) => {
      const level = top > 0 ? Math.round((value / top) * HEIGHT * 8) - floor * 8 : 0
      return LEVELS[Math.max(0, Math.min(8, level))]!
    })
    const scale = row === 0 ? top.toFixed(2) : row === HEIGHT - 1 ? '0.00' : ''
    return `${scale.padStart(8)} │${cells.join('')}`
  })
}
