import { exportModel } from '../../export/export.js'
import type { ArtefactKind } from '../../runtime/runners.js'
import { temporaryFolder, type TemporaryFolder } from '../../base/temporary-folder.js'
import type { OpenedModel } from '../open/open.js'

/** Artefacts of a source for runners that load files only; they are gone after the verification. */
export class TemporaryArtefacts {
  #folder: TemporaryFolder | null = null
  readonly #made = new Set<ArtefactKind>()

  constructor(readonly opened: OpenedModel) {}

  /** A directory that holds the source as `kind`. @throws AlbertkitError where it cannot be exported */
  async directory(kind: ArtefactKind): Promise<string> {
    const { path } = (this.#folder ??= temporaryFolder())
    const { model, source } = this.opened
    if (!this.#made.has(kind)) await exportModel(model, source, kind, path, { task: 'auto', allOutputs: false })
    this.#made.add(kind)
    return path
  }

  remove(): void {
    this.#folder?.remove()
    this.#folder = null
  }
}
