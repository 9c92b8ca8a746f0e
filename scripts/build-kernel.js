// Writes src/model/reference/product-bytes.ts from product.wat beside it; only run when that file changes, the result is
// committed (`npm run generate:kernel`).
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../src/model/reference/', import.meta.url))

/** The text of product-bytes.ts for the WebAssembly text `wat`. */
export async function kernelModule(wat) {
  const { default: wabt } = await import('wabt')
  const { parseWat } = await wabt()
  const module = parseWat('product.wat', wat, { simd: true })
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64')
  module.destroy()
  const lines = base64.match(/.{1,110}/g).map((line) => `  '${line}'`)
  return [
    '/** WebAssembly of product.wat, in base64. Written by scripts/build-kernel.js. */',
    `export const PRODUCT_WASM =\n${lines.join(' +\n')}\n`,
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(`${folder}product-bytes.ts`, await kernelModule(readFileSync(`${folder}product.wat`, 'utf8')))
