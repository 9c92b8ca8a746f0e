import { expect, it } from 'vitest'
import { openModel } from '../../../src/api/open/open.js'
import { memoryFiles } from '../../../src/files/memory.js'

const NET = '<?xml version="1.0"?>\n<net name="Model0" version="11">\n'
const REST = 'x'.repeat(300)

/** Files of other programs, under their own names and under those of models. */
const CASES: readonly (readonly [name: string, contents: string, words: RegExp, more?: readonly [string, string]])[] = [
  ['model.gguf', `GGUF\x03${REST}`, /GGUF/],
  ['pytorch_model.bin', `GGUF\x03\0\0\0${REST}`, /GGUF/],
  ['model.safetensors', `GGUF\x03\0\0\0${REST}`, /GGUF/],
  ['ggml-model.bin', `lmgg${REST}`, /GGML/],
  ['model.ort', `\x18\0\0\0ORTM${REST}`, /onnxruntime's own format/],
  ['model.onnx', `\x18\0\0\0ORTM${REST}`, /onnxruntime's own format/],
  ['openvino_model.bin', REST, /OpenVINO/],
  ['openvino_model.xml', NET, /OpenVINO/],
  ['model.bin', REST, /OpenVINO/, ['model.xml', NET]],
  ['bert.7z', `7z\xbc\xaf'\x1c${REST}`, /7-Zip/],
  ['bert.rar', `Rar!\x1a\x07${REST}`, /RAR/],
  ['bert.tar.xz', `\xfd7zXZ\0${REST}`, /xz/],
  ['model.safetensors.zst', `\x28\xb5\x2f\xfd${REST}`, /Zstandard/],
  ['bert.tar.bz2', `BZh9${REST}`, /bzip2/],
]

it.each(CASES.map(([name, contents, words, more]) => ({ name, contents, words, more })))(
  '$name is called by its name',
  async ({ name, contents, words, more }) => {
    const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
    const all: (readonly [string, string])[] = [[name, contents], ...(more === undefined ? [] : [more])]
    const files = memoryFiles(all.map(([one, text]) => [`/m/${one}`, bytes(text)] as const))
    for (const path of ['/m', `/m/${name}`]) {
      const opened = openModel(path, { files })
      await expect(opened, path).rejects.toMatchObject({ kind: 'unsupported', code: 'format-unsupported' })
      await expect(opened, path).rejects.toThrow(words)
    }
  },
)
