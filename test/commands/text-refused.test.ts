import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { albertkit } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

// Text, files and flags that do not fit: what is said, and that nothing is harmed.

let folder: string
const at = (name: string): string => join(folder, name)
const write = (name: string, text: string | Buffer): string => {
  writeFileSync(at(name), text)
  return at(name)
}
const predict = (...args: string[]) => albertkit(['predict', at('news'), ...args])

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'albertkit-refused-'))
  await albertkit(['convert', ZH_NEWS, '--to', 'onnx', '--no-verify', '-o', at('news')])
}, 60_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('text', () => {
  it('that is not UTF-8 is named, and the rest is answered', async () => {
    const gbk = Buffer.from([0xd6, 0xf7, 0xb6, 0xd3, 10])
    const file = write('gbk.txt', Buffer.concat([gbk, Buffer.from('主队\ufffd\n')]))
    const { code, stdout, stderr } = await predict(file, '--format', 'tsv')
    // U+FFFD that the text itself has is none of that.
    expect([code, stdout.split('\n').length]).toEqual([3, 2])
    expect(stderr).toBe('line 1: the line is not UTF-8 (if it is GB18030, convert it with iconv)\n')
  })

  it('that is UTF-16 is refused at once', async () => {
    const file = write('utf16.txt', Buffer.from('\ufeff主队\n央行\n', 'utf16le'))
    const { code, stdout, stderr } = await predict(file)
    expect([code, stdout, stderr]).toEqual([3, '', expect.stringContaining('iconv -f UTF-16')])
  })

  it('of columns that the file does not have is refused at once, not line by line', async () => {
    const file = write('columns.csv', 'label,text\n体育,主队\n财经,央行\n')
    const named = await predict(file, '--header', '--text-column', 'titel')
    expect([named.code, named.stderr]).toEqual([2, 'error: there is no column titel\nhint: columns: label, text\n'])
    const without = await predict(file, '--text-column', 'text')
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('with --header the first line names')])
  })
})

describe('files', () => {
  it('that would write over each other, or over the text, stay as they are', async () => {
    const text = '体育\t主队\n'
    const file = write('own.tsv', text)
    for (const args of [
      ['-o', file, '--force'],
      ['--errors', file],
      ['-o', at('x'), '--errors', at('./x')],
    ]) {
      const { code, stderr } = await predict(file, ...args)
      expect([code, stderr], args.join(' ')).toEqual([2, expect.stringContaining('name another file')])
    }
    const embed = await albertkit(['embed', at('news'), file, '--errors', file])
    const evaluate = await albertkit(['evaluate', at('news'), file, '--errors', file])
    const records = await albertkit(['tokenize', ZH_NEWS, file, '--to', 'tfrecord', '-o', file, '--force'])
    expect([embed.code, evaluate.code, records.code]).toEqual([2, 2, 2])
    expect([readFileSync(file, 'utf8'), existsSync(at('x'))]).toEqual([text, false])
  }, 60_000)

  it('that are none, devices and directories, are never replaced', async () => {
    const file = write('device.tsv', '体育\t主队\n')
    for (const output of ['/dev/full', folder]) {
      const { code, stderr } = await predict(file, '-o', output, '--force')
      expect([code, stderr]).toEqual([5, expect.stringContaining('the output is not a regular file')])
    }
  })
})

describe('flags', () => {
  it('labels of which two are the same are refused', async () => {
    const labels = write('labels.txt', `${Array.from({ length: 9 }, (_, i) => `c${i}`).join('\n')}\nc3\n`)
    const { code, stderr } = await predict(write('one.txt', '主队\n'), '--labels', labels)
    expect([code, stderr]).toEqual([2, expect.stringContaining('two classes have the label c3')])
  })

  it('lengths that the model does not take are reported', async () => {
    const file = write('lengths.txt', '主队\n')
    const long = await predict(file, '--max-seq-length', '100000')
    expect([long.code, long.stderr]).toEqual([0, expect.stringMatching(/^the model takes \d+ tokens, not 100000\n$/)])
    expect((await predict(file, '--max-seq-length', '1')).code).toBe(2)
    expect((await predict(file, '--max-seq-length', '2')).code).toBe(0)
  })

  it('a [MASK] may be at any position of the model, and none is dropped silently', async () => {
    const { max_position_embeddings: positions } = JSON.parse(
      readFileSync(join(ZH_NEWS, 'albert_config.json'), 'utf8'),
    ) as { max_position_embeddings: number }
    const mask = async (before: number) =>
      albertkit(['fill-mask', ZH_NEWS, `[MASK]${'很'.repeat(before)}[MASK]`, '--json'])
    const fits = await mask(positions - 4)
    const { masks } = JSON.parse(fits.stdout) as { masks: { position: number }[] }
    expect(masks.map(({ position }) => position)).toEqual([1, positions - 2])
    const beyond = await mask(positions - 3)
    expect([beyond.code, beyond.stdout]).toEqual([2, expect.stringContaining('is after the first')])
  })
})
