import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { CONFIG_FILE } from '../../base/artefact-layout.js'
import { outputError } from '../../base/errors.js'
import { portable, readManifest, type Manifest } from '../../export/manifest.js'
import type { ModelConfig } from '../../model/config.js'
import type { Architecture } from '../../model/rewrite/translation.js'
import type { ConvertedArtefact } from './specs.js'

/** An output directory as a conversion finds it: its manifest is read once. */
export class ExistingOutput {
  private constructor(
    readonly directory: string,
    /** Null if there is none that can be read. */
    readonly manifest: Manifest | null,
  ) {}

  static read(directory: string): ExistingOutput {
    return new ExistingOutput(directory, readManifest(directory))
  }

  /** Artefacts that are not written anew, by their keys. */
  #kept(written: readonly Pick<ConvertedArtefact, 'key'>[]) {
    return Object.entries(this.manifest?.artefacts ?? {}).filter(([key]) => !written.some((one) => one.key === key))
  }

  /**
   * A model in another architecture has another configuration, of which a directory has one.
   * @throws AlbertkitError `output` if the directory holds artefacts besides safetensors
   */
  checkArchitecture(as: Architecture): void {
    const others = this.#kept([{ key: 'safetensors' }]).map(([key]) => key)
    if (others.length === 0) return
    throw outputError(`the directory holds the model as ${others.join(' and ')}, whose configuration is another`, {
      code: 'output-exists',
      file: this.directory,
      hint: `write \`as\` ${as} into a directory of its own`,
    })
  }

  /** Paths of the artefacts' files that the directory will have: those written, and those that stay. */
  filesAfter(written: readonly Pick<ConvertedArtefact, 'key' | 'artefact'>[]): string[] {
    return [
      ...written.flatMap(({ artefact }) => artefact.files.map(({ path }) => path)),
      ...this.#kept(written).flatMap(([, { files }]) => files.map(({ name }) => name)),
    ]
  }

  /** Files of artefacts that are written anew. */
  replacedFiles(written: readonly Pick<ConvertedArtefact, 'key'>[]): Set<string> {
    const files = written.flatMap(({ key }) => this.manifest?.artefacts[key]?.files ?? [])
    return new Set(files.map(({ name }) => name))
  }

  /** Element type that the directory's configuration gives to a safetensors file that is there. */
  torchDtype(): { readonly dtype?: string } {
    if (this.manifest?.artefacts.safetensors === undefined) return {}
    try {
      const { torch_dtype } = JSON.parse(readFileSync(join(this.directory, CONFIG_FILE), 'utf8')) as {
        torch_dtype?: unknown
      }
      return typeof torch_dtype === 'string' ? { dtype: torch_dtype } : {}
    } catch {
      return {}
    }
  }

  /** Notes on artefacts that stay although they were made from a model of another configuration. */
  foreignNotes(written: readonly Pick<ConvertedArtefact, 'key'>[], config: ModelConfig): string[] {
    if (this.manifest === null) return []
    const kept = this.#kept(written).map(([key]) => key)
    const same = isDeepStrictEqual(this.manifest.config, JSON.parse(JSON.stringify(portable(config))))
    if (kept.length === 0 || same) return []
    return [`${kept.join(' and ')} stays as it was, made from a model of another configuration: convert it again too`]
  }
}
