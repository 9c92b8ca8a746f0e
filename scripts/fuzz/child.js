// Reads mutants of one reader, one after the other, and tells its parent how far it is.
import { mutate, random } from './bytes.js'
import { judge } from './judge.js'
import { loadSound, readersOf } from './readers.js'

/** Milliseconds of computing for one mutant; the HDF5 library is ended after five seconds. */
const SLOW_MS = { hdf5: 7000, keras: 7000 }
/** Milliseconds between two messages to the parent. */
const REPORT_MS = 200

/** Files of a mutant: those of the sound model with one of the damaged ones changed. */
export function mutantOf({ files, damaged, structure }, seed, number) {
  const next = random(Math.imul(seed, 0x9e3779b1) ^ number)
  const names = [...files.keys()].filter((name) => damaged.test(name))
  const name = names[next() % names.length]
  const sound = files.get(name)
  const kind = next() % 8
  // Mostly by the rules of the format, at times byte by byte, or both.
  let bytes = kind < 2 ? sound : structure(sound, next)
  if (kind < 3) bytes = mutate(new Uint8Array(bytes), next)
  return new Map([...files, [name, bytes]])
}

const computing = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Reads mutants from `from` on; `careful` of them are told one by one, so that the one which hangs is known. */
async function work({ name, seed, from, seconds, until, sound, careful }) {
  const reader = readersOf(loadSound(sound))[name]
  for (const number of [0, 1]) {
    const found = await judge(reader, reader.files, number)
    if (found === 'read') continue
    process.send({ finding: `the sound file is not read: ${found}`, number: -1 })
    process.exit(1)
  }
  const end = performance.now() + 1000 * seconds
  const counts = { read: 0, refused: 0 }
  let [number, told] = [from, 0]
  for (; number < (until ?? Infinity) && performance.now() < end; number++) {
    if (number - from < careful || performance.now() - told > REPORT_MS) {
      process.send({ number, counts, mebibytes: process.memoryUsage.rss() / 2 ** 20 })
      told = performance.now()
    }
    const start = computing()
    const found = await judge(reader, mutantOf(reader, seed, number), number)
    const ms = computing() - start
    if (found in counts) counts[found]++
    else process.send({ finding: found, number })
    if (ms > (SLOW_MS[name] ?? 1500)) process.send({ finding: `took ${Math.round(ms)} ms`, number })
  }
  process.send({ number, counts, mebibytes: process.memoryUsage.rss() / 2 ** 20 })
  process.exit(0)
}

if (process.send !== undefined) process.on('message', work)
