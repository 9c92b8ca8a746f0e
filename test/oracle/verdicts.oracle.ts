import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ROOT, run } from '../helpers/run.js'
import { ask, TENSORFLOW, TRANSFORMERS } from './python.js'

/**
 * Verdicts on mutants of the fuzzer, ours and those of the official readers: both refuse, or both read the same, or the
 * difference is of a class that docs/security.md explains. `VERDICTS=500` tries fewer than 10,000 mutants a reader.
 */

const COUNT = Number(process.env.VERDICTS ?? 10_000)
const SEED = Number(process.env.VERDICTS_SEED ?? 1)

type Tensors = Readonly<Record<string, readonly [dtype: string, shape: readonly number[], sha1: string]>>
interface Verdict {
  readonly error?: string
  readonly message?: string
  readonly tensors?: Tensors
}

interface Official {
  readonly reader: string
  readonly kind: 'safetensors' | 'torch' | 'tensorflow'
  readonly open: string
  /** What we refuse and they read: codes of ours. */
  readonly stricter: readonly string[]
  /** What they refuse and we read: their words. */
  readonly laxer: RegExp
}

/** A key that is no text; its values are no tensors of a state dict. */
const NO_TEXT = /^(None|\w*\(.*\)|-?\d+|True|False)$/

const OFFICIAL: readonly Official[] = [
  {
    reader: 'safetensors',
    kind: 'safetensors',
    open: 'model.safetensors',
    stricter: ['header-invalid'],
    laxer: /^never$/,
  },
  {
    ...{ reader: 'torch-zip', kind: 'torch', open: 'model.bin' },
    stricter: [
      'header-invalid',
      'checksum-mismatch',
      'compression-unsupported',
      'file-truncated',
      'format-unsupported',
      'range-invalid',
    ],
    laxer:
      /hasRecord\("version"\)|not in a subdirectory|unsupported encryption|expected dict|codec can't decode|_rebuild_|must be a bool|unhashable|Weights only load failed/,
  },
  {
    ...{ reader: 'torch-legacy', kind: 'torch', open: 'model.bin' },
    stricter: [
      ...['header-invalid', 'not-a-model', 'format-unsupported', 'tensor-missing', 'range-invalid', 'global-refused'],
      ...['limit-exceeded', 'file-truncated'],
    ],
    laxer: /_rebuild_|must be a bool|unhashable|expected dict|codec can't decode|Weights only load failed/,
  },
  {
    ...{ reader: 'bundle', kind: 'tensorflow', open: 'model.ckpt' },
    stricter: [
      'tensor-duplicate',
      'header-invalid',
      'limit-exceeded',
      'range-invalid',
      'value-invalid',
      'not-a-model',
      'file-truncated',
    ],
    laxer: /^ended by 6$|Invalid size in bundle entry|codec can't decode/,
  },
  {
    ...{ reader: 'v1', kind: 'tensorflow', open: 'model.ckpt' },
    stricter: ['tensor-duplicate', 'header-invalid', 'limit-exceeded', 'range-invalid', 'value-invalid'],
    laxer: /not found in checkpoint file/,
  },
]

const folder = mkdtempSync(join(tmpdir(), 'albertkit-verdicts-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const linesOf = (path: string): Verdict[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict)

/** What is wrong with two verdicts; null if they agree, or differ as they may. */
function wrong({ stricter, laxer }: Official, ours: Verdict, theirs: Verdict): string | null {
  if (ours.tensors === undefined)
    return theirs.tensors === undefined || stricter.includes(ours.error ?? '')
      ? null
      : `we refuse (${ours.error}: ${ours.message}), they read`
  if (theirs.tensors === undefined)
    return laxer.test(theirs.error ?? '') ? null : `we read, they refuse: ${theirs.error}`
  const names = new Set([...Object.keys(ours.tensors), ...Object.keys(theirs.tensors)])
  const other = [...names].find(
    (name) =>
      JSON.stringify(ours.tensors![name]) !== JSON.stringify(theirs.tensors![name]) &&
      !(NO_TEXT.test(name) && ours.tensors![name] === undefined),
  )
  return other === undefined ? null : `other contents of ${other}`
}

describe.each(OFFICIAL)('$reader', (official) => {
  const program = official.kind === 'tensorflow' ? TENSORFLOW : TRANSFORMERS
  it.skipIf(program === null)(
    'is read and refused as by the official reader, or as is explained',
    async () => {
      const { reader, kind, open } = official
      const [pack, own, answers] = ['pack', 'own', 'answers'].map((name) => join(folder, `${reader}.${name}`)) as [
        ...[string, string, string],
      ]
      const script = join(ROOT, 'scripts/fuzz/verdicts.js')
      const made = await run(process.execPath, [script, reader, String(SEED), String(COUNT), pack, own])
      expect(made.code, made.stderr).toBe(0)
      expect(ask(program!, 'read_mutants.py', { kind, pack, answers, open })).toEqual({ count: COUNT })
      const [ours, theirs] = [linesOf(own), linesOf(answers)]
      expect([ours.length, theirs.length]).toEqual([COUNT, COUNT])
      const found = ours.flatMap((verdict, i) => {
        const what = wrong(official, verdict, theirs[i]!)
        return what === null ? [] : [`${reader} --seed ${SEED} --from ${i}: ${what}`]
      })
      expect(found).toEqual([])
      // Were all refused, nothing would be compared.
      const both = ours.filter(({ tensors }, i) => tensors !== undefined && theirs[i]!.tensors !== undefined)
      expect(both.length).toBeGreaterThan(COUNT / 50)
    },
    3_600_000,
  )
})
