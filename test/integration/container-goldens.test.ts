import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openModel } from '../../src/api/open/open.js'
import { verifyOpened } from '../../src/api/verify/verify.js'
import { openSource } from '../../src/api/open/source.js'
import { readAll } from '../../src/formats/core/source.js'
import { tar, tarGz, zip, type ArchiveEntry } from '../helpers/archive.js'
import { albertkit } from '../helpers/run.js'
import { describeShared, SHARED, ZH_NEWS } from '../helpers/shared.js'
import { torchLegacy, torchZip, type TorchTensor } from '../helpers/torch.js'

/** One model in every container that can be made of it: the same outputs as its golden, whatever holds the weights. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-containers-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

/** A new folder with the configuration of a fixture and `files`. */
function folder(name: string, from: string, files: Readonly<Record<string, Buffer | string>>): string {
  const directory = join(out, name)
  mkdirSync(directory)
  if (from !== '') cpSync(from, join(directory, basename(from)))
  for (const [file, data] of Object.entries(files)) writeFileSync(join(directory, file), data)
  return directory
}

async function expectGolden(path: string, golden: string, format: string, config?: string): Promise<void> {
  const opened = await openModel(path, config === undefined ? {} : { config })
  try {
    expect(opened.source.format).toBe(format)
    expect(opened.identification.unknown).toEqual([])
    const report = await verifyOpened(opened, null, { golden })
    expect(report.comparisons.filter((c) => !c.ok)).toEqual([])
    expect(report.comparisons.length).toBeGreaterThan(2)
    expect(report.ok).toBe(true)
  } finally {
    opened.close()
  }
}

const FIXTURE = join(SHARED, 'hf/albert_qa')
const GOLDEN = join(FIXTURE, 'golden.safetensors')
const CONFIG = join(FIXTURE, 'config.json')

async function tensorsOf(path: string): Promise<TorchTensor[]> {
  const source = await openSource(path)
  const tensors = [...source.tensors.values()].map(({ name, shape }) => ({ name, shape, bytes: readAll(source, name) }))
  source.close()
  return tensors
}

/** The tensors in two files and the index that says where each is. */
async function sharded(tensors: readonly TorchTensor[]): Promise<Record<string, Buffer | string>> {
  const half = Math.ceil(tensors.length / 2)
  const parts = [tensors.slice(0, half), tensors.slice(half)]
  const name = (i: number): string => `pytorch_model-0000${i + 1}-of-00002.bin`
  const map = parts.flatMap((part, i) => part.map((tensor): [string, string] => [tensor.name, name(i)]))
  return {
    [name(0)]: await torchZip(parts[0]!),
    [name(1)]: torchLegacy(parts[1]!),
    'pytorch_model.bin.index.json': JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(map) }),
  }
}

describeShared('a model of Hugging Face equals its golden', () => {
  const weights = (): Promise<TorchTensor[]> => tensorsOf(join(FIXTURE, 'model.safetensors'))

  it('in a .bin of the old format', async () => {
    const directory = folder('legacy', CONFIG, { 'pytorch_model.bin': torchLegacy(await weights()) })
    await expectGolden(directory, GOLDEN, 'torch')
  })

  it('in a .bin that is a zip, by its own path', async () => {
    const directory = folder('zipped', CONFIG, { 'weights.pt': await torchZip(await weights()) })
    await expectGolden(join(directory, 'weights.pt'), GOLDEN, 'torch')
  })

  it('in two .bin files, one of each format', async () => {
    await expectGolden(folder('sharded', CONFIG, await sharded(await weights())), GOLDEN, 'torch')
  })

  it.each([
    ['.zip', zip, 'safetensors'],
    ['.tar.gz', tarGz, 'safetensors'],
    ['.tar', tar, 'torch'],
  ] as const)('in a %s', async (suffix, make, format) => {
    const file =
      format === 'torch'
        ? { name: 'albert/pytorch_model.bin', data: await torchZip(await weights()) }
        : { name: 'albert/model.safetensors', data: readFileSync(join(FIXTURE, 'model.safetensors')) }
    const entries: ArchiveEntry[] = [{ name: 'albert/config.json', data: readFileSync(CONFIG) }, file]
    const directory = folder(`archive${suffix}`, '', { [`a${suffix}`]: await make(entries) })
    await expectGolden(join(directory, `a${suffix}`), GOLDEN, format)
  })
})

describe('the bundled model equals its golden by the command line', () => {
  const entries = (): ArchiveEntry[] =>
    ['albert_config.json', 'model.ckpt.index', 'model.ckpt.data-00000-of-00001'].map((name) => ({
      name: `albert_tiny/${name}`,
      data: readFileSync(join(ZH_NEWS, name)),
    }))
  it.each([
    ['.zip', zip],
    ['.tar.gz', tarGz],
  ] as const)('in a %s', async (suffix, make) => {
    const directory = folder(`bundled${suffix}`, '', { [`m${suffix}`]: await make(entries()) })
    const golden = join(ZH_NEWS, 'golden.safetensors')
    const args = ['verify', join(directory, `m${suffix}`), '--golden', golden, '--runner', 'reference', '--json']
    const { code, stdout } = await albertkit(args)
    const report = JSON.parse(stdout) as { ok: boolean; comparisons: { ok: boolean; maxAbs: number }[] }
    expect(code).toBe(0)
    expect(report.ok).toBe(true)
    expect(report.comparisons.length).toBeGreaterThan(0)
  })
})
