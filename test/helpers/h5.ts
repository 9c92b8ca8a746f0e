import { ROOT, run } from './run.js'

/**
 * Writes HDF5 files in a process of their own, where the library may write: `body` is JavaScript with `File` (h5wasm's)
 * and `path`.
 */
export async function writeH5(path: string, body: string): Promise<string> {
  const code = `
    import h5wasm from 'h5wasm/node'
    const module = await h5wasm.ready
    const { File } = h5wasm
    const path = ${JSON.stringify(path)}
    ${body}`
  const { code: exit, stderr } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: ROOT })
  if (exit !== 0) throw new Error(stderr)
  return path
}
