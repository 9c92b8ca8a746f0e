import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** NODE_OPTIONS that make a package look as if it were not installed, to `import` and to `require`. */
export function withoutPackage(name: string, folder: string): string {
  const file = join(folder, 'absent.mjs')
  const hook = `export async function resolve(name, context, next) {
    if (name === ${JSON.stringify(name)}) throw Object.assign(new Error('absent'), { code: 'ERR_MODULE_NOT_FOUND' })
    return next(name, context)
  }`
  writeFileSync(
    file,
    `import Module, { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}))
const resolveFilename = Module._resolveFilename
Module._resolveFilename = function (name, ...rest) {
  if (name === ${JSON.stringify(name)}) throw Object.assign(new Error('absent'), { code: 'MODULE_NOT_FOUND' })
  return resolveFilename.call(this, name, ...rest)
}
`,
  )
  return `--import=${file}`
}
