// Measures `inspect` (or `tokenize`) on the files of a kind, in a process of its own, beside the same on a tiny model.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kinds } from './kinds.js'
import { runMeasured } from './run.js'

const BIN = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const MIB = 1024 * 1024
/** What a command may take: a second and 0.2 µs a byte; 64 MiB, twice the largest tensor, and eight times the header. */
const allowed = ({ header, largest }) => ({
  cpu: 1 + 0.2e-6 * header,
  mebibytes: 64 + (2 * largest + 8 * header) / MIB,
})

/** Writes the files of `make` into a new folder, runs the command on it, and removes them. */
async function run({ open = '', tokenize = false }, files) {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-limits-'))
  try {
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), bytes)
    }
    writeFileSync(join(folder, 'text.txt'), 'w1 w2\n')
    const path = join(folder, open)
    const args = tokenize ? ['tokenize', path, join(folder, 'text.txt')] : ['inspect', path]
    return await runMeasured([BIN, ...args], { cwd: folder, env: { ...process.env, NO_COLOR: '1' }, patience: 300 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** MiB of a process that reads a tiny model, and of one that reads a tiny vocabulary. */
export async function baselines() {
  const vocabulary = kinds['vocab.txt: lines']
  const [inspect, tokenize] = [
    await run({}, kinds['safetensors: metadata'].make(0)),
    await run(vocabulary, vocabulary.make(10)),
  ]
  if (inspect.code !== 0 || tokenize.code !== 0) throw new Error(inspect.stderr + tokenize.stderr)
  return { inspect: inspect.mebibytes, tokenize: tokenize.mebibytes }
}

/**
 * Measures a kind at a size: what it took, what it may take, and how it ended. Memory is what is taken beyond `base`
 * MiB, those of a process that reads a tiny model.
 */
export async function measure(kind, size, base) {
  const files = kind.make(size)
  const stored = Object.values(files).reduce((sum, { length }) => sum + length, 0)
  const { code, cpu, mebibytes, stderr, stdout } = await run(kind, files)
  // Arrays that are compressed are unpacked, which takes time for each byte, but not all at once in memory.
  const time = allowed({ header: stored + size * (kind.unpacked ?? 0), largest: 0 }).cpu
  const memory = allowed({ header: stored, largest: kind.largest ?? 0 }).mebibytes
  return {
    size,
    bytes: stored,
    code,
    cpu,
    mebibytes: mebibytes - base,
    allowed: { cpu: time, mebibytes: memory },
    said: (stderr + stdout).trim().split('\n')[0] ?? '',
  }
}
