import { FFN_GROUPS, type ModelConfig } from '../config.js'
import { sizeOf } from '../load/dimensions.js'
import type { Dim } from '../names/row.js'

/** Parameter counts as polynomials in the configuration's letters, the way the paper writes them. */
const ORDER: readonly Dim[] = ['V', 'P', 'T', 'N', 'E', 'H', 'I']

/** Monomial → coefficient; the key has the letters in their order, separated by spaces. */
export type Polynomial = ReadonlyMap<string, number>

/** The sizes of a parameter by their letters; of a grouped kernel, which has a share of their product. */
export interface Product {
  readonly dims: readonly Dim[]
  /** Number of groups of a grouped kernel, which connects an input only with outputs of its group; 1 for all others. */
  readonly groups: number
}

/** The sum over parameters of the products of their dimensions. */
export function polynomial(parameters: Iterable<Product>): Polynomial {
  const terms = new Map<string, number>()
  for (const { dims, groups } of parameters) {
    // The axis of the attention's heads is as wide as the hidden state: one letter for both.
    const letters = dims
      .filter((d) => d !== '2')
      .map((d) => (d === 'A' ? 'H' : d))
      .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
    const factor = 2 ** (dims.length - letters.length) / groups
    const key = letters.join(' ')
    terms.set(key, (terms.get(key) ?? 0) + factor)
  }
  return terms
}

const SUPERSCRIPT = ['', '', '²', '³', '⁴']

function showMonomial(key: string): string {
  const powers = new Map<string, number>()
  for (const letter of key.split(' ')) powers.set(letter, (powers.get(letter) ?? 0) + 1)
  return [...powers].map(([letter, n]) => letter + (SUPERSCRIPT[n] ?? `^${n}`)).join('·')
}

function showTerm(key: string, n: number): string {
  if (key === '') return String(n)
  if (n === 1) return showMonomial(key)
  if (Number.isInteger(n)) return `${n}·${showMonomial(key)}`
  const shares = n * FFN_GROUPS
  return `${shares === 1 ? '' : `${shares}·`}${showMonomial(key)}/${FFN_GROUPS}`
}

/** `V·E + 2·H`; terms of higher degree first. */
export function showFormula(terms: Polynomial): string {
  const degree = (key: string): number => (key === '' ? 0 : key.split(' ').length)
  const rank = (key: string): number => ORDER.indexOf(key.charAt(0) as Dim)
  const shown = [...terms]
    .filter(([, n]) => n !== 0)
    .sort(([a], [b]) => degree(b) - degree(a) || rank(a) - rank(b))
    .map(([key, n]) => showTerm(key, n))
  return shown.length === 0 ? '0' : shown.join(' + ')
}

/** The polynomial's value in a configuration. */
export function evaluate(terms: Polynomial, config: ModelConfig, labels = 2): number {
  let sum = 0
  for (const [key, n] of terms) {
    const letters = key === '' ? [] : (key.split(' ') as Dim[])
    sum += n * letters.reduce((product, dim) => product * (sizeOf(dim, config) ?? labels), 1)
  }
  return sum
}
