/** Formats of numbers in texts. */

/** `4,182,144`, by hand: the first use of Intl takes 30 ms. */
export const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

/** Three digits, never an exponent: `9.87`, `12.3`, `100`, `1,000`. */
export const significant = (n: number): string => {
  const text = n.toPrecision(3)
  return text.includes('e') ? count(Number(text)) : text
}

/** `16.7 MB` (powers of ten, as file managers and download pages have it) */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = n
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? String(value) : significant(value)} ${units[unit] ?? ''}`
}

/** `12.3 %` */
export const percent = (part: number, whole: number): string =>
  `${whole === 0 ? '0.0' : ((100 * part) / whole).toFixed(1)} %`

/** `3.1e-7`; `NaN` for null. */
export const scientific = (n: number | null): string => (n === null ? 'NaN' : n === 0 ? '0' : n.toExponential(1))

/** `[2, 13, 128]` */
export const shape = (dims: readonly (number | string)[]): string => `[${dims.join(', ')}]`
