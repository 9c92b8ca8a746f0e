import { readFileSync } from 'node:fs'

let known: string | null = null

/** The version of albertkit, from its package.json. */
export function albertkitVersion(): string {
  if (known !== null) return known
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (known = String((JSON.parse(text) as { version: unknown }).version))
}
