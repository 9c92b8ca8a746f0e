// Reads mutants of one reader, one after the other, and tells its parent before and after each.
import { AlbertkitError, memoryFiles } from '../../dist/index.js'
import { mutate, random } from './mutate.js'
import { makeReaders } from './readers.js'

// The HDF5 library is ended after five seconds.
const SLOW_MS = { hdf5: 7000, keras: 7000 }
const EXIT_CODES = new Set([2, 3, 4])

/** Files of a mutant: those of the sound model with one of the damaged ones changed. */
export function mutantOf({ files, damaged }, seed, number) {
  const next = random(Math.imul(seed, 0x9e3779b1) ^ number)
  const names = [...files.keys()].filter((name) => damaged.test(name))
  const name = names[next() % names.length]
  return { name, files: new Map([...files, [name, mutate(new Uint8Array(files.get(name)), next)]]) }
}

/** Reads a mutant: `read`, `refused`, or what is wrong with the way in which it ended. */
export async function judge(reader, files) {
  try {
    const port = memoryFiles([...files].map(([name, bytes]) => [`/m/${name}`, bytes]))
    await reader.read(port, `/m/${reader.path}`)
    return 'read'
  } catch (error) {
    if (!(error instanceof AlbertkitError)) return `not an AlbertkitError: ${error?.stack ?? String(error)}`
    return EXIT_CODES.has(error.exitCode) ? 'refused' : `exit code ${error.exitCode}: ${error.message}`
  }
}

if (process.send !== undefined)
  process.on('message', async ({ name, seed, from, seconds, until }) => {
    const reader = (await makeReaders())[name]
    const sound = await judge(reader, reader.files)
    if (sound !== 'read') {
      process.send({ finding: `the sound file is not read: ${sound}`, number: -1 })
      process.exit(1)
    }
    const end = performance.now() + 1000 * seconds
    const counts = { read: 0, refused: 0 }
    for (let number = from; number < (until ?? Infinity) && performance.now() < end; number++) {
      process.send({ number })
      const start = performance.now()
      const found = await judge(reader, mutantOf(reader, seed, number).files)
      const ms = performance.now() - start
      if (found in counts) counts[found]++
      else process.send({ finding: found, number })
      if (ms > (SLOW_MS[name] ?? 2000)) process.send({ finding: `took ${Math.round(ms)} ms`, number })
      const mebibytes = process.memoryUsage().rss / 2 ** 20
      process.send({ done: number, counts, mebibytes })
    }
    process.exit(0)
  })
