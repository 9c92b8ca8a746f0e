import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../helpers/run.js'

const markdownIn = (folder: string): string[] =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md') && !name.startsWith('['))
    .map((name) => join(folder, name))

/** Every document, in both languages. */
export const DOCUMENTS: readonly string[] = ['.', 'docs', 'docs/guides', 'examples', 'examples/host-cli'].flatMap(
  markdownIn,
)

export const readDocument = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** A fenced block: its language, and its lines. */
export interface Block {
  readonly language: string
  readonly text: string
}

/** Fenced blocks of a document, also those that are indented. */
export const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(/^( *)```(\S*)\n([^]*?)^\1```$/gm)].map(([, , language = '', text = '']) => ({
    language,
    text,
  }))

/** Programs that a document wants saved: `name.mjs` between backticks in the paragraph before a block of JavaScript. */
export const programsOf = (markdown: string): { name: string; text: string }[] =>
  [...markdown.matchAll(/`(\w+\.mjs)`[^`]*\n\n```js\n([^]*?)^```$/gm)].map(([, name = '', text = '']) => ({
    name,
    text,
  }))
