import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { CARD_FILE, CONFIG_FILE, DEMO_FOLDER } from '../../base/artefact-layout.js'
import { outputError } from '../../base/errors.js'
import { portable, type Manifest } from '../../export/manifest.js'
import { readManifest } from '../output-manifest.js'
import { readPlainText } from '../../files/plain-text.js'
import type { ModelConfig } from '../../model/config.js'
import type { Architecture } from '../../model/rewrite/translation.js'
import { isOwnCard } from './card.js'
import type { ConvertedArtefact } from './specs.js'

/** State of an output directory before a conversion; its manifest is read once. */
export class ExistingOutput {
  private constructor(
    readonly directory: string,
    /** Null if absent or unreadable. */
    readonly manifest: Manifest | null,
  ) {}

  static read(directory: string): ExistingOutput {
    return new ExistingOutput(directory, readManifest(directory))
  }

  /** Existing artefacts, by key, that this conversion does not overwrite. */
  #kept(written: readonly Pick<ConvertedArtefact, 'key'>[]) {
    return Object.entries(this.manifest?.artefacts ?? {}).filter(([key]) => !written.some((one) => one.key === key))
  }

  /**
   * Checks that no existing artefact needs another `config.json`: a directory has one, and each architecture its own.
   * @throws AlbertkitError `output` if the directory holds artefacts besides safetensors
   */
  checkArchitecture(as: Architecture): void {
    const others = this.#kept([{ key: 'safetensors' }]).map(([key]) => key)
    if (others.length === 0) return
    throw outputError(`the directory holds ${others.join(' and ')} of another architecture`, {
      code: 'output-exists',
      file: this.directory,
      hint: `write \`targetArchitecture\` ${as} into a separate directory`,
    })
  }

  /** Text of the model card; null if there is none. */
  card(): string | null {
    const file = join(this.directory, CARD_FILE)
    return existsSync(file) ? readPlainText(file) : null
  }

  /** Checks that a model card that is there can be written again. @throws AlbertkitError `output` if it is another's */
  checkCard(): void {
    const text = this.card()
    if (text === null || isOwnCard(text)) return
    throw outputError('the directory has a README.md of its own', {
      code: 'output-exists',
      file: join(this.directory, CARD_FILE),
      hint: 'leave `card` out, or move that file away: what it says cannot be put into a card',
    })
  }

  /** Checks that the folder of a page can be replaced. @throws AlbertkitError `output` if no conversion wrote it */
  checkDemo(): void {
    const file = join(this.directory, DEMO_FOLDER)
    if (!existsSync(file) || this.manifest?.files?.some(({ name }) => name.startsWith(`${DEMO_FOLDER}/`)) === true)
      return
    throw outputError(`the directory has a ${DEMO_FOLDER} of its own`, {
      code: 'output-exists',
      file,
      hint: 'leave `demo` out, or move that away',
    })
  }

  /** Names in the manifest of all artefacts after the conversion. */
  keysAfter(written: readonly Pick<ConvertedArtefact, 'key'>[]): string[] {
    return [...written.map(({ key }) => key), ...this.#kept(written).map(([key]) => key)]
  }

  /** The manifest without the files that a conversion writes anew as a whole folder. */
  manifestWithout(folder: string): Manifest | null {
    if (this.manifest?.files === undefined) return this.manifest
    return { ...this.manifest, files: this.manifest.files.filter(({ name }) => !name.startsWith(`${folder}/`)) }
  }

  /** Paths of all artefact files after the conversion: new and existing ones. */
  filesAfter(written: readonly Pick<ConvertedArtefact, 'key' | 'artefact'>[]): string[] {
    return [
      ...written.flatMap(({ artefact }) => artefact.files.map(({ path }) => path)),
      ...this.#kept(written).flatMap(([, { files }]) => files.map(({ name }) => name)),
    ]
  }

  /** Files of existing artefacts that the conversion overwrites. */
  replacedFiles(written: readonly Pick<ConvertedArtefact, 'key'>[]): Set<string> {
    const files = written.flatMap(({ key }) => this.manifest?.artefacts[key]?.files ?? [])
    return new Set(files.map(({ name }) => name))
  }

  /** Element type in the existing `config.json`, if the directory has a safetensors file. */
  torchDtype(): { readonly dtype?: string } {
    if (this.manifest?.artefacts.safetensors === undefined) return {}
    try {
      const { torch_dtype } = JSON.parse(readPlainText(join(this.directory, CONFIG_FILE))) as {
        torch_dtype?: unknown
      }
      return typeof torch_dtype === 'string' ? { dtype: torch_dtype } : {}
    } catch {
      return {}
    }
  }

  /** Notes on artefacts that stay although they were made from a model with another configuration. */
  foreignNotes(written: readonly Pick<ConvertedArtefact, 'key'>[], config: ModelConfig): string[] {
    if (this.manifest === null) return []
    const kept = this.#kept(written).map(([key]) => key)
    const same = isDeepStrictEqual(this.manifest.config, JSON.parse(JSON.stringify(portable(config))))
    if (kept.length === 0 || same) return []
    return [`${kept.join(' and ')} stays as it was, made from a model with another configuration: convert it again too`]
  }
}
