import { unsupported, usage } from '../../base/errors.js'
import { exists } from '../../formats/core/file-port.js'
import { openLocated } from '../../formats/core/open.js'
import type { LocatedSource } from '../../formats/core/container.js'
import { dirname, join } from '../../formats/core/paths.js'
import type { OpenOptions } from '../../formats/core/source.js'
import { hasLora, mergeLora } from '../../model/rewrite/lora.js'
import { readAdapterConfig } from './side-files.js'

/** Absolute paths of any system. */
const ABSOLUTE = /^([A-Za-z]:)?\//

const ADAPTERS = ['adapter_model.safetensors', 'adapter_model.bin']

/**
 * Merges the LoRA adapter of a model: within its weights, next to them, or with the base that it names.
 * @throws AlbertkitError `usage` if the adapter, its base or its scale is missing; errors of `mergeLora`
 */
export async function withLora(located: LocatedSource, options: OpenOptions): Promise<LocatedSource> {
  const { source, directories, files } = located
  const directory = directories.find((one) => readAdapterConfig(files, one) !== null)
  const config = directory === undefined ? null : readAdapterConfig(files, directory)
  const file = source.files[0] ?? directory ?? ''
  if (config === null || directory === undefined)
    throw hasLora(source)
      ? unsupported(
          'the file has LoRA deltas, but their scale (lora_alpha) is in no file: there is no adapter_config.json',
          {
            code: 'config-missing',
            file,
            hint: 'put the adapter_config.json that the training wrote beside the weights',
          },
        )
      : usage('there is no LoRA adapter to merge', { code: 'name-unknown', file })
  const adapter = ADAPTERS.map((name) => join(directory, name)).find((path) => exists(files, path))
  const isAlone = adapter !== undefined && source.files.some((one) => join(one) === join(adapter))
  if (!isAlone) {
    const beside = adapter === undefined || hasLora(source) ? null : (await openLocated(files, adapter, options)).source
    return { source: mergeLora(source, beside, config), directories, files }
  }
  const base = config.fields.base_model_name_or_path
  const path = typeof base === 'string' ? (ABSOLUTE.test(base) ? base : join(dirname(adapter), base)) : null
  if (path === null || !exists(files, path)) {
    const name = typeof base === 'string' ? base : 'which its configuration does not name'
    throw usage(`the base model of the adapter, ${name}, is not here`, {
      code: 'file-missing',
      file: adapter,
      hint: 'put the adapter and its adapter_config.json into the folder of the base model, and give that folder',
    })
  }
  const found = await openLocated(files, path, options)
  return {
    source: mergeLora(found.source, source, config),
    files: found.files,
    directories: [...new Set([...found.directories, ...directories])],
  }
}
