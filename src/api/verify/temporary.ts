import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportModel } from '../../export/index.js'
import { onInterrupt } from '../../interrupt.js'
import type { ArtefactKind } from '../../runtime/index.js'
import type { OpenedModel } from '../open.js'

/** Artefacts of a source for runners that load files only; they are gone after the verification. */
export class TemporaryArtefacts {
  #directory: string | null = null
  #forget: (() => void) | null = null
  readonly #made = new Set<ArtefactKind>()

  constructor(readonly opened: OpenedModel) {}

  /** A directory that holds the source as `kind`. @throws AlbertkitError where it cannot be exported */
  async directory(kind: ArtefactKind): Promise<string> {
    if (this.#directory === null) {
      this.#directory = mkdtempSync(join(tmpdir(), 'albertkit-verify-'))
      this.#forget = onInterrupt(() => {
        this.remove()
      })
    }
    const { model, source } = this.opened
    if (!this.#made.has(kind))
      await exportModel(model, source, kind, this.#directory, { task: 'auto', allOutputs: false })
    this.#made.add(kind)
    return this.#directory
  }

  remove(): void {
    this.#forget?.()
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true })
    this.#directory = null
  }
}
