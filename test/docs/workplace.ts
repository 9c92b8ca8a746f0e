import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hubServer } from '../helpers/hub-server.js'
import { BIN, ROOT, userEnv } from '../helpers/run.js'

/** Folders in which the commands of documents run, and their environment. */
export interface Workplaces {
  readonly env: NodeJS.ProcessEnv
  /** A folder with the bundled model; the same one for the same name. */
  open(name: string): string
  /** A program that stands first on the path. */
  addProgram(name: string, script: string): void
  close(): Promise<void>
}

/** @returns workplaces with `albertkit` on the path, and the bundled model on a hub of this machine as `hf:org/name` */
export async function openWorkplaces(): Promise<Workplaces> {
  const folder = mkdtempSync(join(tmpdir(), 'albertkit-docs-'))
  const addProgram = (name: string, script: string): void => {
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  mkdirSync(join(folder, 'bin'))
  addProgram('albertkit', `exec "${process.execPath}" "${BIN}" "$@"`)
  const model = join(ROOT, 'fixtures/zh-news')
  const hub = await hubServer(new Map(readdirSync(model).map((name) => [name, readFileSync(join(model, name))])))
  return {
    env: userEnv({
      PATH: `${join(folder, 'bin')}:${process.env.PATH ?? ''}`,
      NO_COLOR: '1',
      HF_ENDPOINT: hub.url,
      HF_HOME: join(folder, 'hub'),
    }),
    open: (name) => {
      const cwd = join(folder, name)
      if (existsSync(cwd)) return cwd
      mkdirSync(cwd)
      cpSync(join(ROOT, 'fixtures'), join(cwd, 'fixtures'), { recursive: true })
      return cwd
    },
    addProgram,
    close: async () => {
      await hub.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
