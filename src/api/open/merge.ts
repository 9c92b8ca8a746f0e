import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { unsupported, usage } from '../../base/errors.js'
import { openLocated, openSource } from '../../formats/core/open.js'
import type { LocatedSource } from '../../formats/core/container.js'
import type { OpenOptions } from '../../formats/core/source.js'
import { hasLora, mergeLora } from '../../model/rewrite/lora.js'
import { readAdapterConfig } from './side-files.js'

const ADAPTERS = ['adapter_model.safetensors', 'adapter_model.bin']

/**
 * Merges the LoRA adapter of a model: within its weights, beside them, or with the base that it names.
 * @throws AlbertkitError `usage` if there is none, or its base or scale is not there; as `mergeLora`
 */
export async function withLora(located: LocatedSource, options: OpenOptions): Promise<LocatedSource> {
  const { source, directories } = located
  const directory = directories.find((one) => readAdapterConfig(one) !== null)
  const config = directory === undefined ? null : readAdapterConfig(directory)
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
  const adapter = ADAPTERS.map((name) => join(directory, name)).find((path) => existsSync(path))
  const isAlone = adapter !== undefined && source.files.some((one) => resolve(one) === resolve(adapter))
  if (!isAlone) {
    const beside = adapter === undefined || hasLora(source) ? null : await openSource(adapter, options)
    return { source: mergeLora(source, beside, config), directories }
  }
  const base = config.fields.base_model_name_or_path
  const path = typeof base === 'string' ? resolve(dirname(adapter), base) : null
  if (path === null || !existsSync(path))
    throw usage(
      `the base of the adapter, ${typeof base === 'string' ? base : 'which its configuration does not name'}, is not here`,
      {
        code: 'file-missing',
        file: adapter,
        hint: 'put the adapter and its adapter_config.json into the folder of the base, and give that folder',
      },
    )
  const found = await openLocated(path, options)
  return {
    source: mergeLora(found.source, source, config),
    directories: [...new Set([...found.directories, ...directories])],
  }
}
