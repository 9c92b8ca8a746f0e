const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
}

/** Bytes of `20 MB`, `1.5 GiB` or a number. */
export function parseSize(size: number | string): number {
  if (typeof size === 'number') return size
  const [, amount = '', unit = ''] = /^([\d.]+) ?(.*)B$/.exec(size) ?? []
  return Math.floor(Number(amount) * (UNITS[unit] ?? 1))
}
