// Verdicts on mutants, for comparing them with those of the official readers:
//   node scripts/fuzz/verdicts.js READER SEED COUNT PACK VERDICTS
// PACK gets the files of the mutants (JSON of names and lengths, one line a mutant, before its bytes), VERDICTS a line of
// JSON for each: `{ error }`, the code, or `{ tensors: { name: [dtype, shape, sha1 of the bytes] } }`.
import { createHash } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AlbertkitError, memoryFiles, openSource, readAll } from '../../dist/index.js'
import { mutantOf } from './child.js'
import { loadSound, readersOf, saveSound } from './readers.js'

const WITHOUT_BYTES = new Set(['STRING', 'VARIANT', 'OTHER'])

async function verdictOf({ path }, files) {
  const port = memoryFiles([...files].map(([name, bytes]) => [`/m/${name}`, bytes]))
  try {
    const source = await openSource(path === '' ? '/m' : `/m/${path}`, { files: port })
    const tensors = {}
    for (const { name, dtype, shape } of source.tensors.values()) {
      const bytes = WITHOUT_BYTES.has(dtype) ? new Uint8Array() : readAll(source, name)
      Object.defineProperty(tensors, name, {
        value: [dtype, shape, createHash('sha1').update(bytes).digest('hex')],
        enumerable: true,
      })
    }
    source.close()
    return { tensors }
  } catch (error) {
    if (!(error instanceof AlbertkitError)) throw error
    return { error: error.code, message: error.message }
  }
}

const [name, seed, count, pack, verdicts] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'albertkit-fuzz-'))
try {
  await saveSound(join(folder, 'sound'))
  const reader = readersOf(loadSound(join(folder, 'sound')))[name]
  const out = openSync(pack, 'w')
  const lines = []
  for (let number = 0; number < Number(count); number++) {
    const files = mutantOf(reader, Number(seed), number)
    writeSync(out, `${JSON.stringify([...files].map(([file, bytes]) => [file, bytes.length]))}\n`)
    for (const bytes of files.values()) if (bytes.length > 0) writeSync(out, bytes)
    lines.push(JSON.stringify(await verdictOf(reader, files)))
  }
  closeSync(out)
  writeFileSync(verdicts, `${lines.join('\n')}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
