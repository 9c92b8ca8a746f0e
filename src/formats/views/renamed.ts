import type { TensorInfo, TensorSource } from '../core/source.js'

/**
 * `source` with its tensors under other names, or without some of them.
 * @param rename gives the new name of a tensor; null leaves the tensor out
 */
export function renamed(source: TensorSource, rename: (name: string) => string | null): TensorSource {
  const stored = new Map<string, string>()
  const tensors = new Map<string, TensorInfo>()
  for (const info of source.tensors.values()) {
    const name = rename(info.name)
    if (name === null) continue
    stored.set(name, info.name)
    tensors.set(name, { ...info, name })
  }
  const storedName = (name: string): string => {
    const found = stored.get(name)
    if (found === undefined) throw new RangeError(`no tensor named ${name}`)
    return found
  }
  return {
    format: source.format,
    files: source.files,
    tensors,
    notes: source.notes,
    ...(source.metadata === undefined ? {} : { metadata: source.metadata }),
    ...(source.graph === undefined ? {} : { graph: source.graph }),
    missingFiles: source.missingFiles ?? [],
    read: (name, offset, target) => {
      source.read(storedName(name), offset, target)
    },
    verifyChecksum: (name) => {
      source.verifyChecksum(storedName(name))
    },
    close: () => {
      source.close()
    },
  }
}
