import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT, run, userEnv, type Result } from '../helpers/run.js'

// The recipe of examples/docker/Dockerfile without Docker: each line is carried out, a stage being a folder. The last one
// holds Node with the libraries that it links, as the image it starts from does, and nothing else: no shell. Its command
// runs there after chroot, as the user of the recipe, who can write into /work and /tmp alone.

interface Stage {
  readonly name: string
  readonly from: string
  readonly root: string
  readonly env: Record<string, string>
  workdir: string
  user: string
  entrypoint: readonly string[]
  command: readonly string[]
}

const folder = mkdtempSync(join(tmpdir(), 'albertkit-docker-'))
const lines = readFileSync(join(ROOT, 'examples/docker/Dockerfile'), 'utf8')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '')

/** Node as `/nodejs/bin/node`, its libraries, devices, and the folder for temporary files. */
function addBase(root: string): void {
  const libraries = [...execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)]
  for (const [from, to] of [
    [process.execPath, '/nodejs/bin/node'],
    ...libraries.map(([, path]) => [realpathSync(path!), path!] as const),
  ] as const) {
    mkdirSync(join(root, dirname(to)), { recursive: true })
    copyFileSync(from, join(root, to))
  }
  for (const name of ['tmp', 'proc', 'dev']) mkdirSync(join(root, name))
  chmodSync(join(root, 'tmp'), 0o1777)
}

/** Carries out the lines, in order. Another kind of line is an error: the test then does not know the recipe. */
async function build(args: Readonly<Record<string, string>>): Promise<Stage> {
  const stages: Stage[] = []
  const values: Record<string, string> = {}
  for (const line of lines) {
    const [, word = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line)!
    const text = rest.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? '')
    const stage = stages.at(-1)!
    const inside = (path: string): string => join(stage.root, path.startsWith('/') ? path : join(stage.workdir, path))
    if (word === 'FROM') {
      const [, from = '', name = String(stages.length)] = /^(\S+)(?: AS (\w+))?$/.exec(text)!
      const root = join(folder, `stage-${name}`)
      mkdirSync(root)
      if (from.includes('distroless')) addBase(root)
      stages.push({ name, from, root, env: {}, workdir: '/', user: '0:0', entrypoint: [], command: [] })
    } else if (word === 'ARG') {
      const [name = '', value = ''] = rest.split('=')
      values[name] = args[name] ?? value
    } else if (word === 'WORKDIR') {
      stage.workdir = text
      mkdirSync(inside('.'), { recursive: true })
    } else if (word === 'RUN') {
      expect(stage.from, 'an image without a shell runs nothing').not.toContain('distroless')
      const env = userEnv({ CI: 'true', npm_config_prefer_offline: 'true', ONNXRUNTIME_NODE_INSTALL: 'skip' })
      const { code, stderr } = await run('bash', ['-euc', text], { cwd: inside('.'), env })
      expect(code, stderr).toBe(0)
    } else if (word === 'COPY') {
      const [, from, owner, source = '', target = ''] = /^--from=(\w+) --chown=(\w+):\w+ (\S+) (\S+)$/.exec(text)!
      expect(owner).toBe('root')
      const other = stages.find(({ name }) => name === from)!
      cpSync(join(other.root, source), inside(target), { recursive: true, verbatimSymlinks: true })
    } else if (word === 'ENV') {
      for (const [name = '', value = ''] of text.split(' ').map((pair) => pair.split('='))) stage.env[name] = value
    } else if (word === 'USER') stage.user = text
    else if (word === 'ENTRYPOINT') stage.entrypoint = JSON.parse(text) as string[]
    else if (word === 'CMD') stage.command = JSON.parse(text) as string[]
    else throw new Error(`the test has no ${word}`)
  }
  return stages.at(-1)!
}

describe.runIf(process.platform === 'linux' && process.getuid?.() === 0)('the image of examples/docker', () => {
  let image: Stage
  /** `docker run IMAGE ARGS`. */
  const docker = (args: readonly string[] = image.command): Promise<Result> => {
    const { root, workdir, entrypoint, env } = image
    const [uid = '', gid = ''] = image.user.split(':')
    // /proc and /dev are the container's own, and gone with it.
    const mount = 'mount -t proc proc "$0/proc"; mount --bind /dev "$0/dev"; exec unshare --root="$0" "$@"'
    const user = [`--wd=${workdir}`, `--setgid=${gid}`, `--setuid=${uid}`]
    return run('unshare', ['--mount', 'bash', '-euc', mount, root, ...user, ...entrypoint, ...args], {
      env: { ...env, PATH: process.env.PATH },
    })
  }

  beforeAll(async () => {
    const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: ROOT })
    const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
    image = await build({ ALBERTKIT: `file:${join(folder, filename)}` })
    cpSync(join(ROOT, 'fixtures/zh-news'), join(image.root, 'work/checkpoints/news'), { recursive: true })
    const [uid, gid] = image.user.split(':').map(Number) as [number, number]
    chownSync(join(image.root, 'work'), uid, gid)
  }, 600_000)
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it('is started with help, and has no shell', async () => {
    expect(await docker()).toMatchObject({ code: 0, stdout: expect.stringContaining('COMMANDS') as string })
    expect(existsSync(join(image.root, 'bin/sh'))).toBe(false)
  })

  it('converts, proves and predicts as a user who is not root', async () => {
    const { code, stdout, stderr } = await docker(['convert', 'checkpoints/news', '--to', 'onnx', '-o', 'out'])
    expect([code, stdout], stderr).toEqual([0, expect.stringContaining('comparisons within bounds')])
    expect(String(statSync(join(image.root, 'work/out/onnx/model.onnx')).uid)).toBe(image.user.split(':')[0])
    const predicted = await docker(['predict', 'out', 'checkpoints/news/test.tsv', '--format', 'tsv', '--threads', '2'])
    expect([predicted.code, predicted.stdout.split('\t')[0]], predicted.stderr).toEqual([0, '游戏'])
  })

  it('cannot write where the program is, and says so', async () => {
    const inApp = '/app/node_modules/albertkit/out'
    const { code, stderr } = await docker(['convert', 'checkpoints/news', '--to', 'tf', '-o', inApp])
    expect([code, stderr]).toEqual([5, expect.stringContaining('permission denied')])
    expect(existsSync(join(image.root, inApp))).toBe(false)
  })
})
