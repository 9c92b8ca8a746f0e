// Writes src/model/reference/product-bytes.ts from product.wat beside it, and elements-bytes.ts; only run when those
// files change, the results are committed (`npm run generate:kernel`).
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../src/model/reference/', import.meta.url))

/** The text of product-bytes.ts, or that of another `name`, for the WebAssembly text `wat`. */
export async function kernelModule(wat, name = 'product') {
  const { default: wabt } = await import('wabt')
  const { parseWat } = await wabt()
  const module = parseWat(`${name}.wat`, wat, { simd: true })
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64')
  module.destroy()
  const lines = base64.match(/.{1,110}/g).map((line) => `  '${line}'`)
  return [
    `/** WebAssembly of ${name}.wat, in base64. Written by scripts/build-kernel.js. */`,
    `export const ${name.toUpperCase()}_WASM =\n${lines.join(' +\n')}\n`,
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of ['product', 'elements'])
    writeFileSync(`${folder}${name}-bytes.ts`, await kernelModule(readFileSync(`${folder}${name}.wat`, 'utf8'), name))
