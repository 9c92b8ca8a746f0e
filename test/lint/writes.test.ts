import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, it } from 'vitest'

const SRC = new URL('../../src/', import.meta.url).pathname
const WRITING =
  /\b(writeFile|writeFileSync|writeSync|appendFile|appendFileSync|createWriteStream|rename|renameSync|rm|rmSync|rmdirSync|unlink|unlinkSync|truncate|truncateSync|ftruncateSync|copyFile|copyFileSync|cpSync|mkdirSync|mkdir|mkdtempSync|linkSync|symlinkSync|chmodSync|utimesSync)\b/

/** Modules that write files other than outputs: temporary folders. */
const TEMPORARY = ['base/temporary-folder.ts', 'api/doctor/doctor.ts', 'api/gate/gate.ts']

it('every output is written through the port, which guards the sources', () => {
  const found = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) =>
      [...readFileSync(join(SRC, name), 'utf8').matchAll(/import (?:type )?\{([^}]*)\} from 'node:fs(?:\/promises)?'/g)]
        .map(([, names = '']) => names)
        .some((names) => WRITING.test(names)),
    )
    .map((name) => relative('.', name).replaceAll('\\', '/'))
  expect(found.sort()).toEqual(['files/write-port.ts', ...TEMPORARY].sort())
})
