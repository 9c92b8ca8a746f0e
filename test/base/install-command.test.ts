import { describe, expect, it } from 'vitest'
import { installCommandAt } from '../../src/base/install-command.js'

const at = (file: string, cwd = '/home/ann/app', node = '/usr/bin/node') => ({ file, cwd, node })
const FILE = 'albertkit/dist/cli/chunk.js'

describe('the command that installs a package for this albertkit', () => {
  it.each([
    ['a clone', at('/home/ann/albertkit/dist/base/x.js'), 'npm install bullmq'],
    ['a project', at(`/home/ann/app/node_modules/${FILE}`), 'npm install bullmq'],
    [
      'a project, from a folder of it',
      at(`/home/ann/app/node_modules/${FILE}`, '/home/ann/app/src'),
      'npm install bullmq',
    ],
    [
      'a project, from elsewhere',
      at(`/home/ann/app/node_modules/${FILE}`, '/tmp'),
      'npm install --prefix /home/ann/app bullmq',
    ],
    ['npm, globally', at(`/usr/lib/node_modules/${FILE}`), 'npm install --global bullmq'],
    [
      'npm, globally elsewhere',
      at(`/opt/tools/lib/node_modules/${FILE}`),
      'npm install --global --prefix /opt/tools bullmq',
    ],
    ['a host that is global', at(`/usr/lib/node_modules/host/node_modules/${FILE}`), 'npm install --global bullmq'],
    [
      'a plugin of a host',
      at(`/home/ann/.local/share/host/node_modules/${FILE}`),
      'npm install --prefix /home/ann/.local/share/host bullmq',
    ],
    ['pnpm', at(`/home/ann/app/node_modules/.pnpm/albertkit@1/node_modules/${FILE}`), 'pnpm add bullmq'],
    [
      'pnpm, globally',
      at(`/home/ann/.local/share/pnpm/global/5/node_modules/.pnpm/albertkit@1/node_modules/${FILE}`),
      'pnpm add --global bullmq',
    ],
    [
      'npx',
      at(`/home/ann/.npm/_npx/1f2e/node_modules/${FILE}`),
      'npx --yes --package=albertkit --package=bullmq albertkit …',
    ],
    ['a path with a space', at(`/my app/node_modules/${FILE}`), 'npm install --prefix "/my app" bullmq'],
  ])('%s', (_, place, command) => {
    expect(installCommandAt(place, ['bullmq'])).toBe(command)
  })

  it('keeps the installer of onnxruntime-node from downloading GPU libraries', () => {
    expect(installCommandAt(at('/a/b.js'), ['onnxruntime-node'])).toBe('npm install --ignore-scripts onnxruntime-node')
  })
})
