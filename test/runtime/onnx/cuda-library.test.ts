import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { libraryFolder, whyCudaFails } from '../../../src/runtime/onnx/cuda-library.js'
import { openOnnxGpu } from '../../../src/runtime/onnx/onnxruntime-gpu.js'
import { temporaryFolder } from '../../../src/base/temporary-folder.js'

it('says what keeps the CUDA provider from being loaded, without the place where it is', () => {
  const { path, remove } = temporaryFolder()
  try {
    expect(whyCudaFails(path)).toBe('libonnxruntime_providers_cuda.so is not installed')
    writeFileSync(join(path, 'libonnxruntime_providers_cuda.so'), 'no library'.repeat(100))
    expect(whyCudaFails(path)).toMatch(/^libonnxruntime_providers_cuda\.so: .*(ELF|not a mach-o|Win32)/i)
  } finally {
    remove()
  }
})

it.skipIf(process.platform !== 'linux' || whyCudaFails(libraryFolder()) === null)(
  'is the reason why the runner does not start',
  async () => {
    const why = whyCudaFails(libraryFolder())
    expect(why).not.toBeNull()
    await expect(openOnnxGpu('model.onnx', 'ort-cuda', {}, {})).rejects.toMatchObject({
      exitCode: 6,
      message: `ort-cuda does not start: ${why}`,
    })
  },
)
