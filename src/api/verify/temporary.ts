import type { GraphTarget } from '../../base/artefact-layout.js'
import { exportModel } from '../../export/export.js'
import { temporaryFolder, type TemporaryFolder } from '../../base/temporary-folder.js'
import type { OpenedModel } from '../open/open.js'

/** Artefacts of a source for runners that load files only; they are gone after the verification. */
export class TemporaryArtefacts {
  #folder: TemporaryFolder | null = null
  readonly #made = new Set<GraphTarget>()

  constructor(readonly opened: OpenedModel) {}

  /** Path of a directory that holds the source as `target`. @throws AlbertkitError where it cannot be exported */
  async directory(target: GraphTarget): Promise<string> {
    const { path } = (this.#folder ??= temporaryFolder())
    const { model, source } = this.opened
    if (!this.#made.has(target)) await exportModel(model, source, target, path, { task: 'auto', allOutputs: false })
    this.#made.add(target)
    return path
  }

  remove(): void {
    this.#folder?.remove()
    this.#folder = null
  }
}
