import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporary } from '../helpers/faults.js'
import { BIN, userEnv } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

// Real file systems that are full or read-only, in a mount namespace of the test.

const place = temporary()
const { at } = place
afterAll(() => {
  place.remove()
})

const inNamespace = (
  script: string,
): ReturnType<typeof spawnSync> & { readonly stdout: string; readonly stderr: string } =>
  spawnSync('unshare', ['-rm', 'sh', '-c', script], { env: userEnv(), encoding: 'utf8' })

const MOUNTS = inNamespace('mount -t tmpfs -o size=64k tmpfs /mnt').status === 0
if (!MOUNTS) console.warn('no mount namespaces here: full and read-only disks are left out')

beforeAll(() => {
  mkdirSync(at('disk'))
  writeFileSync(at('lines.txt'), '主队\n'.repeat(20_000))
})

describe.runIf(MOUNTS)('on a disk', () => {
  const node = `${process.execPath} ${BIN}`
  const commands: [string, string][] = [
    ['convert', `${node} convert ${ZH_NEWS} --to onnx --no-verify -o ${at('disk/out')}`],
    ['init', `${node} init albert-tiny-zh -o ${at('disk/out')}`],
    ['predict', `${node} predict ${ZH_NEWS} ${at('lines.txt')} --max-seq-length 8 -o ${at('disk/out.jsonl')}`],
    ['embed', `${node} embed ${ZH_NEWS} ${at('lines.txt')} --max-seq-length 8 --format npy -o ${at('disk/out.npy')}`],
    ['verify --save', `${node} verify ${ZH_NEWS} --save ${at('disk/golden.safetensors')}`],
    ['params --svg', `${node} params ${ZH_NEWS} --svg ${at('disk/x.svg')}`],
  ]

  it.each(commands)(
    'that is full, %s ends with 5 and leaves nothing',
    (_, command) => {
      const { status, stderr, stdout } = inNamespace(
        `mount -t tmpfs -o size=8k tmpfs ${at('disk')} && ${command} >/dev/null; code=$?; ` +
          // What can be continued stays, for when there is space.
          `ls -A ${at('disk')} | grep -v '[.]part' ; exit $code`,
      )
      expect([status, stdout], stderr).toEqual([5, ''])
      expect(stderr).toContain('no space left on the device')
    },
    60_000,
  )

  it.each(commands)(
    'that is read-only, %s ends with 5',
    (_, command) => {
      const { status, stderr } = inNamespace(`mount -t tmpfs -o ro tmpfs ${at('disk')} && ${command} >/dev/null`)
      expect(status, stderr).toBe(5)
      expect(stderr).toContain('read-only')
    },
    60_000,
  )
})
