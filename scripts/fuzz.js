// Fuzzes the readers: node scripts/fuzz.js [--reader NAME] [--seconds N] [--seed S] [--from N] [--mutants N]
// A mutant is a seed and a number. Each reader runs in a process of its own; one that hangs, dies or takes too much memory is
// ended, its mutant is written to fuzz-findings/, and the next number goes on. Exit code 1 if there are findings.
import { fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { mutantOf } from './fuzz/child.js'
import { loadSound, readersOf, saveSound } from './fuzz/readers.js'

/** Milliseconds without a word of the process; for one mutant alone, which may share the machine with others. */
const HANG_MS = 15_000
/** Resident memory: Node takes 100 MiB of it, and no mutant has a megabyte. */
const MEBIBYTES = 640
/** Mutants that are told one by one after a process was ended. */
const CAREFUL = 4000

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
const folder = mkdtempSync(join(tmpdir(), 'albertkit-fuzz-'))
const sound = join(folder, 'sound')
await saveSound(sound)
const readers = readersOf(loadSound(sound))
const findings = []

/** Writes the files of a mutant, so that it can be tried by hand. */
function keep(name, number, what) {
  findings.push({ name, seed, number, what })
  console.log(`  FINDING ${name} --seed ${seed} --from ${number}: ${what}`)
  if (number < 0) return
  const place = join('fuzz-findings', `${name}-${seed}-${number}`)
  for (const [file, bytes] of mutantOf(readers[name], seed, number)) {
    mkdirSync(dirname(join(place, file)), { recursive: true })
    writeFileSync(join(place, file), bytes)
  }
}

/** Runs one process until its time is over, or it must be ended; gives the number to go on from. */
function run(name, from, left, careful) {
  return new Promise((resolve) => {
    const child = fork(new URL('./fuzz/child.js', import.meta.url), {
      execArgv: ['--max-old-space-size=384'],
      silent: true,
    })
    let [current, counts, why] = [from, { read: 0, refused: 0 }, null]
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (errors = (errors + text).slice(-2000)))
    const end = (reason) => {
      why = reason
      child.kill('SIGKILL')
    }
    let watch = setTimeout(end, HANG_MS + 60_000, 'did not start')
    child.on('message', (message) => {
      clearTimeout(watch)
      watch = setTimeout(end, HANG_MS, `hung for ${HANG_MS / 1000} s`)
      if (message.finding !== undefined) return keep(name, message.number, message.finding)
      counts = { ...message.counts }
      // What took the memory is the mutant before.
      if (message.mebibytes > MEBIBYTES) end(`took ${Math.round(message.mebibytes)} MiB`)
      else current = message.number
    })
    child.on('exit', (code, signal) => {
      clearTimeout(watch)
      const isOver = why === null && code === 0
      const reason = why ?? `the process ended: ${code ?? signal} ${errors.split('\n')[0]}`
      // The mutant is not known exactly: it is found by going on from the last one that is, one by one.
      const isKnown = !isOver && current - from < careful
      if (isKnown) keep(name, current, reason)
      resolve({ counts, next: isKnown ? current + 1 : current, isOver, careful: isKnown ? 0 : CAREFUL })
    })
    child.send({ name, seed, from, seconds: left, sound, careful, until: Number(values.from) + Number(values.mutants) })
  })
}

/** Fuzzes one reader. */
async function fuzz(name) {
  const start = performance.now()
  let [from, read, refused, careful] = [Number(values.from), 0, 0, 0]
  for (;;) {
    const left = seconds - (performance.now() - start) / 1000
    if (left <= 0) break
    const done = await run(name, from, left, careful)
    read += done.counts.read
    refused += done.counts.refused
    ;({ next: from, careful } = done)
    if (done.isOver) break
  }
  console.log(`${name.padEnd(16)} ${read + refused} mutants, ${read} read, ${refused} refused`)
}

try {
  for (const name of values.reader ?? Object.keys(readers)) {
    if (readers[name] === undefined) {
      console.error(`no reader ${name}; readers: ${Object.keys(readers).join(', ')}`)
      process.exitCode = 2
      break
    }
    await fuzz(name)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${findings.length} findings`)
process.exitCode ||= findings.length === 0 ? 0 : 1
