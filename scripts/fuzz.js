// Fuzzes the readers: node scripts/fuzz.js [--reader NAME] [--seconds N] [--seed S] [--from N] [--mutants N]
// A mutant is a seed and a number. Each reader runs in a process of its own; one that hangs, dies or takes too much memory is
// ended, its mutant is written to fuzz-findings/, and the next number goes on. Exit code 1 if there are findings.
import { fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { mutantOf } from './fuzz/child.js'
import { makeReaders } from './fuzz/readers.js'

const HANG_MS = 10_000
const MEBIBYTES = 1024

const { values } = parseArgs({
  options: {
    reader: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    mutants: { type: 'string', default: 'Infinity' },
  },
})
const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
const readers = await makeReaders()
const findings = []

/** Writes the files of a mutant, so that it can be tried by hand. */
function keep(name, number, what) {
  findings.push({ name, seed, number, what })
  console.log(`  FINDING ${name} --seed ${seed} --from ${number}: ${what}`)
  if (number < 0) return
  const folder = join('fuzz-findings', `${name}-${seed}-${number}`)
  for (const [file, bytes] of mutantOf(readers[name], seed, number).files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), bytes)
  }
}

/** Runs one process until its time is over, or it must be ended; gives the number to go on from. */
function run(name, from, left) {
  return new Promise((resolve) => {
    const child = fork(new URL('./fuzz/child.js', import.meta.url), {
      execArgv: ['--max-old-space-size=768'],
      silent: true,
    })
    let [current, counts, why] = [from, { read: 0, refused: 0 }, null]
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (errors = (errors + text).slice(-2000)))
    const end = (reason) => {
      why = reason
      child.kill('SIGKILL')
    }
    let watch = setTimeout(end, HANG_MS + 20_000, 'did not start')
    child.on('message', (message) => {
      clearTimeout(watch)
      watch = setTimeout(end, HANG_MS, `hung for ${HANG_MS / 1000} s`)
      if (message.finding !== undefined) keep(name, message.number, message.finding)
      else if (message.done === undefined) current = message.number
      else {
        counts = message.counts
        if (message.mebibytes > MEBIBYTES) end(`took ${Math.round(message.mebibytes)} MiB`)
      }
    })
    child.on('exit', (code, signal) => {
      clearTimeout(watch)
      if (why !== null) keep(name, current, why)
      else if (code !== 0) keep(name, current, `the process ended: ${code ?? signal} ${errors.split('\n')[0]}`)
      resolve({ counts, next: current + 1, isOver: why === null && code === 0 })
    })
    child.send({ name, seed, from, seconds: left, until: Number(values.from) + Number(values.mutants) })
  })
}

for (const name of values.reader ?? Object.keys(readers)) {
  if (readers[name] === undefined) {
    console.error(`no reader ${name}; readers: ${Object.keys(readers).join(', ')}`)
    process.exit(2)
  }
  const start = performance.now()
  let [from, read, refused] = [Number(values.from), 0, 0]
  for (;;) {
    const left = seconds - (performance.now() - start) / 1000
    if (left <= 0) break
    const { counts, next, isOver } = await run(name, from, left)
    read += counts.read
    refused += counts.refused
    from = next
    if (isOver) break
  }
  console.log(`${name.padEnd(16)} ${read + refused} mutants, ${read} read, ${refused} refused`)
}
console.log(`${findings.length} findings`)
process.exit(findings.length === 0 ? 0 : 1)
