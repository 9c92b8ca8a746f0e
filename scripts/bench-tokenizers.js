// Speed of the tokenizers as multiples of that of Hugging Face's library in Rust: processor time of one thread, in turns,
// least of each. English is that of the documents of installed packages; Chinese lines are made of parts of headlines, so
// that none comes again within a round.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { loadTokenizer } from '../dist/index.js'
import { table } from '../dist/report/table.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const [LINES, ROUNDS, MAX_LENGTH] = [20_000, 3, 128]
const NAMES = { wp: 'WordPiece', sp: 'SentencePiece', en: 'English', zh: 'Chinese' }

/** Lines of prose of the documents of packages. */
function english() {
  const found = new Set()
  const files = readdirSync(join(root, 'node_modules'), { recursive: true }).filter((name) => name.endsWith('.md'))
  for (const file of files.sort())
    for (const line of readFileSync(join(root, 'node_modules', file), 'utf8').split(/\r?\n/)) {
      const text = line.trim()
      const letters = text.match(/[\p{L} ]/gu)?.length ?? 0
      if (text.length >= 40 && text.length <= 600 && letters >= 0.9 * text.length && found.size < LINES) found.add(text)
    }
  return [...found]
}

function chinese(headlines) {
  let state = 1
  const next = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return (state >>> 8) % below
  }
  return Array.from({ length: LINES }, () => {
    const [first, second] = [headlines[next(headlines.length)], headlines[next(headlines.length)]]
    return first.slice(0, 3 + next(12)) + second.slice(next(second.length), second.length).slice(0, 12)
  })
}

/** Prints the table. @param {string} python that has tokenizers, transformers and sentencepiece */
export async function benchTokenizers(python, scratch, headlines) {
  const folder = join(scratch, 'tokenizers')
  mkdirSync(folder)
  const lines = { en: english(), zh: chinese(headlines) }
  for (const [name, own] of Object.entries(lines)) writeFileSync(join(folder, `${name}.txt`), `${own.join('\n')}\n`)
  const child = spawn(python, [join(root, 'scripts/bench_tokenizers.py'), folder], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  if ((await answers.next()).value !== 'ready') {
    console.error('tokenizers are not compared: this Python lacks transformers or sentencepiece')
    return
  }
  const rows = []
  for (const language of ['zh', 'en'])
    for (const kind of ['wp', 'sp']) {
      const name = `${language}-${kind}`
      const tokenizers = ['', '-slow', '-json'].map((form) => loadTokenizer(join(folder, name + form)))
      const own = tokenizers.flatMap((t) => [(text) => t.ids(text, MAX_LENGTH), (text) => t.encode(text)])
      const least = own.map(() => Infinity)
      let [theirs, first] = [Infinity, null]
      for (let round = 0; round <= ROUNDS; round++) {
        child.stdin.write(`${name}\n`)
        const { cpu } = JSON.parse((await answers.next()).value)
        for (const [i, read] of own.entries()) {
          const before = process.cpuUsage()
          for (const text of lines[language]) read(text)
          const { user, system } = process.cpuUsage(before)
          if (round > 0) least[i] = Math.min(least[i], (user + system) / 1e6)
          else if (i === 0) first = (user + system) / 1e6
        }
        if (round > 0) theirs = Math.min(theirs, cpu)
      }
      const times = [...least, first].map((seconds) => (theirs / seconds).toFixed(2))
      rows.push([`${NAMES[language]}, ${NAMES[kind]}`, ...times])
    }
  child.stdin.end()
  const forms = ['Google', 'Python classes', 'tokenizer.json']
  const head = ['× of tokenizers in Rust', ...forms.flatMap((form) => [`${form}: ids`, 'tokens']), 'first time: ids']
  console.log(`\n${lines.en.length} English lines, ${lines.zh.length} Chinese ones, one thread\n`)
  console.log(table(rows, { head, right: [1, 2, 3, 4, 5, 6, 7] }))
}
