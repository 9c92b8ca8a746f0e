import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ZH_NEWS } from '../helpers/shared.js'
import { albertkit } from '../helpers/run.js'
import { convertSchema } from '../../src/schemas/convert.js'
import { errorSchema } from '../../src/schemas/error.js'
import { inspectSchema } from '../../src/schemas/inspect.js'
import { verifySchema } from '../../src/schemas/verify.js'

const folder = mkdtempSync(join(tmpdir(), 'albertkit-cli-'))
const at = (...parts: string[]): string => join(folder, ...parts)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** SHA-256 of every file below a directory. */
function digest(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    files
      .filter((file) => statSync(join(directory, file)).isFile())
      .map((file) => [
        file,
        createHash('sha256')
          .update(readFileSync(join(directory, file)))
          .digest('hex'),
      ]),
  )
}

/** A copy of the bundled model that a test may damage. */
function copy(name: string): string {
  cpSync(ZH_NEWS, at(name), { recursive: true })
  return at(name)
}

describe('inspect', () => {
  it('--json is one document of its schema', async () => {
    const { code, stdout, stderr } = await albertkit(['inspect', ZH_NEWS, '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const report = inspectSchema.parse(JSON.parse(stdout))
    expect(report.counts).toEqual({ mapped: 33, skipped: 1, unknown: 0, missing: 0 })
    expect(report.parameters?.stored).toBe(report.variables.filter((v) => v.slot).reduce((n, v) => n + v.parameters, 0))
    const { parts, stored } = report.parameters!
    expect(Object.values(parts).reduce((a, b) => a + b)).toBe(stored)
  })

  it('`inspect ckpt MODEL` is the same, and `inspect ckpt` opens ./ckpt', async () => {
    const plain = await albertkit(['inspect', ZH_NEWS])
    expect(await albertkit(['inspect', 'ckpt', ZH_NEWS])).toEqual(plain)
    cpSync(ZH_NEWS, at('here/ckpt'), { recursive: true })
    expect((await albertkit(['inspect', 'ckpt'], { cwd: at('here') })).stdout).toBe(plain.stdout)
    expect((await albertkit(['inspect'], { cwd: at('here/ckpt') })).stdout).toBe(plain.stdout)
  })

  it('--all lists every variable', async () => {
    const { stdout } = await albertkit(['inspect', ZH_NEWS, '--all'])
    expect(stdout).toContain('global_step')
  })
})

describe('convert', () => {
  beforeAll(async () => {
    const { code, stderr } = await albertkit(['convert', ZH_NEWS, '--to', 'tfjs', '--to', 'onnx', '-o', at('out')])
    expect([code, stderr]).toEqual([0, ''])
  })

  it('lays the directory out as promised', () => {
    const files = Object.keys(digest(at('out')))
    expect(files).toEqual([
      'albertkit.json',
      'config.json',
      'onnx/model.onnx',
      'tfjs/group1-shard1of1.bin',
      'tfjs/model.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'vocab.txt',
    ])
    const config = JSON.parse(readFileSync(at('out/config.json'), 'utf8')) as { id2label: object; hidden_act: string }
    expect(Object.keys(config.id2label)).toHaveLength(10)
    expect(config.hidden_act).toBe('gelu_new')
    expect(readdirSync(folder).filter((name) => name.startsWith('.out'))).toEqual([])
  })

  it('gives the same bytes every time, and a manifest whose hashes are right', async () => {
    const { code } = await albertkit(['convert', ZH_NEWS, '--to', 'tfjs', '--to', 'onnx', '-o', at('again')])
    expect(code).toBe(0)
    const files = digest(at('out'))
    expect(digest(at('again'))).toEqual(files)
    type Listed = { name: string; sha256: string }
    const manifest = JSON.parse(readFileSync(at('out/albertkit.json'), 'utf8')) as {
      artefacts: Record<string, { files: Listed[]; source: { files: Listed[] } }>
    }
    for (const artefact of Object.values(manifest.artefacts)) {
      expect(artefact.files.length).toBeGreaterThan(0)
      for (const { name, sha256 } of artefact.files) expect(files[name]).toBe(sha256)
      const source = digest(ZH_NEWS)
      for (const { name, sha256 } of artefact.source.files) expect(source[name]).toBe(sha256)
    }
    expect(JSON.stringify(manifest)).not.toContain(folder)
  })

  it('refuses an existing directory, and with --force keeps the other forms', async () => {
    cpSync(at('out'), at('kept'), { recursive: true })
    writeFileSync(at('kept/onnx/model.onnx'), 'mine')
    const before = digest(at('kept'))
    const refused = await albertkit(['convert', ZH_NEWS, '--to', 'tfjs', '-o', at('kept')])
    expect(refused.code).toBe(5)
    expect(refused.stderr).toContain('--force')
    expect(digest(at('kept'))).toEqual(before)
    const forced = await albertkit(['convert', ZH_NEWS, '--to', 'tfjs', '-o', at('kept'), '--force', '--json'])
    expect(forced.code).toBe(0)
    convertSchema.parse(JSON.parse(forced.stdout))
    expect(readFileSync(at('kept/onnx/model.onnx'), 'utf8')).toBe('mine')
    const manifest = JSON.parse(readFileSync(at('kept/albertkit.json'), 'utf8')) as { artefacts: object }
    expect(Object.keys(manifest.artefacts)).toEqual(['onnx', 'tfjs'])
  })

  it('leaves nothing behind when the check fails', async () => {
    const { code, stdout } = await albertkit([
      'convert',
      ZH_NEWS,
      '--to',
      'onnx',
      '-o',
      at('no'),
      '--atol',
      '0',
      '--json',
    ])
    expect(code).toBe(1)
    expect(convertSchema.parse(JSON.parse(stdout)).ok).toBe(false)
    expect(readdirSync(folder).filter((name) => name.includes('no'))).toEqual([])
  })

  it('a failed check with --force leaves what was there', async () => {
    cpSync(at('out'), at('stays'), { recursive: true })
    const before = digest(at('stays'))
    const { code } = await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '-o', at('stays'), '--force', '--atol', '0'])
    expect(code).toBe(1)
    expect(digest(at('stays'))).toEqual(before)
  })

  it('--dry-run writes nothing', async () => {
    const { code, stdout } = await albertkit([
      'convert',
      ZH_NEWS,
      '--to',
      'onnx',
      '-o',
      at('dry'),
      '--dry-run',
      '--json',
    ])
    expect(code).toBe(0)
    expect(convertSchema.parse(JSON.parse(stdout)).dryRun).toBe(true)
    expect(existsSync(at('dry'))).toBe(false)
  })

  it('--task and --outputs choose what comes out', async () => {
    const run = async (name: string, ...args: string[]) => {
      const { code, stdout, stderr } = await albertkit([
        'convert',
        ZH_NEWS,
        '--to',
        'onnx',
        '-o',
        at(name),
        '--no-verify',
        '--json',
        ...args,
      ])
      expect([code, stderr]).toEqual([0, ''])
      return convertSchema.parse(JSON.parse(stdout)).artefacts[0]!.outputs
    }
    expect(await run('t1', '--task', 'features')).toEqual(['last_hidden_state', 'pooler_output'])
    expect(await run('t2', '--task', 'pretraining')).toEqual([
      'last_hidden_state',
      'pooler_output',
      'prediction_logits',
      'sop_logits',
    ])
    expect(await run('t3', '--task', 'mlm')).toEqual(['last_hidden_state', 'pooler_output', 'prediction_logits'])
    expect(await run('t4', '--task', 'sop', '--outputs', 'all')).toEqual([
      'last_hidden_state',
      'pooler_output',
      'sop_logits',
      'embedding_output',
      'hidden_state_0',
      'hidden_state_1',
      'hidden_state_2',
      'hidden_state_3',
    ])
  })
})

describe('verify', () => {
  it('verifies artefacts layer by layer', async () => {
    const { code, stdout, stderr } = await albertkit(['verify', ZH_NEWS, at('out'), '--layers', '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const report = verifySchema.parse(JSON.parse(stdout))
    expect(report.firstDivergent).toBeNull()
    expect(new Set(report.comparisons.map((c) => c.runner))).toEqual(new Set(['onnxruntime', 'tfjs-cpu', 'tfjs-wasm']))
    for (const output of ['embedding_output', 'hidden_state_0', 'hidden_state_3', 'logits']) {
      expect(report.comparisons.filter((c) => c.output === output).length).toBeGreaterThanOrEqual(3)
    }
    expect(report.weights.map((w) => w.ok)).toEqual([true, true])
  })

  it('finds one flipped bit of a weight that no output shows', async () => {
    cpSync(at('out'), at('bit'), { recursive: true })
    const file = at('bit/tfjs/group1-shard1of1.bin')
    const model = JSON.parse(readFileSync(at('bit/tfjs/model.json'), 'utf8')) as {
      weightsManifest: { weights: { name: string; shape: number[] }[] }[]
    }
    const size = (w: { shape: number[] }): number => 4 * w.shape.reduce((a, b) => a * b, 1)
    const { weights } = model.weightsManifest[0]!
    const key = weights.findIndex((w) => w.name.endsWith('attention/key/bias'))
    const bytes = readFileSync(file)
    bytes[weights.slice(0, key).reduce((n, w) => n + size(w), 0)]! ^= 1
    writeFileSync(file, bytes)
    const { code, stdout } = await albertkit(['verify', ZH_NEWS, at('bit'), '--json'])
    expect(code).toBe(1)
    const report = verifySchema.parse(JSON.parse(stdout))
    expect(report.comparisons.every((c) => c.ok)).toBe(true)
    expect(report.weights.find((w) => w.artefact === 'tfjs')?.differences[0]?.slot).toContain('key/bias')
  })

  it('an artefact that cannot be parsed is malformed input', async () => {
    cpSync(at('out'), at('cut'), { recursive: true })
    const onnx = readFileSync(at('cut/onnx/model.onnx'))
    writeFileSync(at('cut/onnx/model.onnx'), onnx.subarray(0, onnx.length / 2))
    const { code, stdout } = await albertkit(['verify', ZH_NEWS, at('cut'), '--json'])
    expect(code).toBe(3)
    expect(errorSchema.parse(JSON.parse(stdout)).error.file).toContain('model.onnx')
  })

  it('nothing compared is a failure', async () => {
    const golden = ['verify', ZH_NEWS, '--golden', join(ZH_NEWS, 'golden.safetensors')]
    const none = await albertkit([...golden, '--runner', 'tfjs-wasm', '--atol', '1', '--json'])
    expect(none.code).toBe(0)
    const failed = await albertkit([...golden, '--atol', '0'])
    expect(failed.code).toBe(1)
    expect(failed.stdout).toContain('DIFFERS')
  })

  it('an unknown runner is a usage error, an empty directory malformed', async () => {
    expect((await albertkit(['verify', ZH_NEWS, at('out'), '--runner', 'abacus'])).code).toBe(2)
    expect((await albertkit(['verify', ZH_NEWS, ZH_NEWS])).code).toBe(3)
    expect((await albertkit(['verify', ZH_NEWS, '--atol', 'many'])).code).toBe(2)
  })
})

describe('wrong input: a clear error, the right exit code, no stack trace', () => {
  const damage: [name: string, body: (directory: string) => void, code: number, words: RegExp][] = [
    [
      'no data file',
      (d) => {
        rmSync(join(d, 'model.ckpt.data-00000-of-00001'))
      },
      3,
      /data file.*missing/,
    ],
    [
      'a truncated data file',
      (d) => {
        writeFileSync(join(d, 'model.ckpt.data-00000-of-00001'), Buffer.alloc(1000))
      },
      3,
      /ends at byte 1000/,
    ],
    [
      'a flipped byte',
      (d) => {
        const f = join(d, 'model.ckpt.data-00000-of-00001')
        const b = readFileSync(f)
        b[5000]! ^= 4
        writeFileSync(f, b)
      },
      3,
      /CRC-32C/,
    ],
    [
      'a wrong configuration',
      (d) => {
        const f = join(d, 'albert_config.json')
        writeFileSync(f, readFileSync(f, 'utf8').replace('"hidden_size": 128', '"hidden_size": 64'))
      },
      3,
      /hidden_size is 64.*\n(.*\n)*.*tensor:/,
    ],
    [
      'no model',
      (d) => {
        for (const f of readdirSync(d)) if (f.startsWith('model')) rmSync(join(d, f))
      },
      3,
      /no model/,
    ],
    [
      'a file of another kind',
      (d) => {
        writeFileSync(join(d, 'model.ckpt.index'), '<html>not found</html>')
      },
      3,
      /HTML/,
    ],
  ]
  it.each(damage)('%s', async (name, body, code, words) => {
    const directory = copy(`bad ${name}`)
    rmSync(join(directory, 'golden.safetensors'))
    body(directory)
    const commands = [
      // Without data it still lists names and shapes, which has a test of its own.
      ...(name === 'no data file' ? [] : [['inspect', directory]]),
      ['verify', directory],
      ['convert', directory, '--to', 'onnx', '-o', at('never')],
    ]
    for (const args of commands) {
      const plain = await albertkit(args)
      expect(plain.code).toBe(code)
      expect(plain.stdout).toBe('')
      expect(plain.stderr).toMatch(words)
      expect(plain.stderr).not.toMatch(/\n\s+at /)
      const json = await albertkit([...args, '--json'])
      expect(json.code).toBe(code)
      expect(errorSchema.parse(JSON.parse(json.stdout)).error.file).toContain(directory)
      expect(existsSync(at('never'))).toBe(false)
    }
  })

  it('--no-checksum reads over a flipped byte', async () => {
    const { code } = await albertkit(['inspect', at('bad a flipped byte'), '--no-checksum'])
    expect(code).toBe(0)
  })
})
