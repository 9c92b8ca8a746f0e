import { describe, expect, it } from 'vitest'
import { hubPath, isHubPath, parseHubPath } from '../../src/hub/reference.js'

describe('parseHubPath', () => {
  it.each([
    ['hf:albert/albert-base-v2', 'albert/albert-base-v2', 'main', ''],
    ['hf:albert-base-v2', 'albert-base-v2', 'main', ''],
    ['hf:albert-base-v2@v1', 'albert-base-v2', 'v1', ''],
    ['hf:org/name@v1.0', 'org/name', 'v1.0', ''],
    ['hf:org/name@v1.0/onnx', 'org/name', 'v1.0', 'onnx'],
    ['hf:org/name/a/b.safetensors', 'org/name', 'main', 'a/b.safetensors'],
    ['hf:org/name@feature%2Fx/onnx/', 'org/name', 'feature/x', 'onnx'],
    ['hf:org/name@refs/pr/7/onnx', 'org/name', 'refs/pr/7', 'onnx'],
    ['hf://org/name', 'org/name', 'main', ''],
  ])('%s', (path, repo, revision, inner) => {
    expect(parseHubPath(path)).toEqual({ repo, revision, path: inner })
    expect(parseHubPath(hubPath(parseHubPath(path)))).toEqual({ repo, revision, path: inner })
  })

  it.each([
    'hf:',
    'hf:org/',
    'hf:../secret',
    'hf:org/..',
    'hf:org/name/../../x',
    'hf:org/name@../x',
    'hf:org/name@%2e%2e',
    'hf:org/name@a%2F..%2F..%2Fx',
    'hf:org/name@',
    'hf:org/name@%zz',
    'hf:org/name@v1\\..\\x',
    'hf:org/name/folder@v1',
    'hf:org--x/name',
    'hf:org/na me',
  ])('refuses %s', (path) => {
    expect(() => parseHubPath(path)).toThrow(
      expect.objectContaining({ kind: 'usage', code: 'option-invalid' }) as Error,
    )
  })

  it('leaves paths alone', () => {
    expect(['./hf:x', 'hf', 'C:/hf:x', 'model'].some(isHubPath)).toBe(false)
  })
})
