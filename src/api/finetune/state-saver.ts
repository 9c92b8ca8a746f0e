import { join } from 'node:path'
import { AlbertkitError } from '../../base/errors.js'
import { WholeFile } from '../../files/atomic-file.js'
import { removeState, STATE_FILE, writeState, type BestWeights, type Progress } from './state.js'
import type { Trainer } from './trainer.js'

/** Time between two snapshots, unless the user gives one. */
export const SAVE_SECONDS = 60
/** A run that is young saves more often: at most this time, or a quarter of its age if that is longer, may be lost. */
const FIRST_MS = 10_000
const AGE_SHARE = 1 / 4
/** Part of the time that snapshots may take. */
const COST_SHARE = 1 / 20

/** Waits for `work`, but not longer than until `until`. @returns true if it is done */
async function isDoneBy(work: Promise<unknown>, until: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, until - performance.now()), false)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

interface SavedRun {
  readonly directory: string
  readonly trainer: Trainer
  /** Of model, data and options, which a continued run must have too. */
  readonly fingerprint: string
  /** Milliseconds between two snapshots. */
  readonly every: number
}

/**
 * Saves the state of a run: now and then, so that little is lost whatever ends it, and when it is interrupted. A
 * snapshot is written between two steps and brought to the disk during the next ones. The state of a large model takes
 * longer to write than a signal may wait: the last snapshot then stays.
 */
export class StateSaver {
  readonly #began = performance.now()
  #last = performance.now()
  #cost = 0
  #saved: number | null
  #flushing: Promise<void> = Promise.resolve()

  /** @param saved number of steps of the state that is in the directory, if this run continues from it */
  constructor(
    readonly run: SavedRun,
    saved: number | null,
  ) {
    this.#saved = saved
  }

  /** Number of steps before the state that is saved; null if none is. */
  get saved(): number | null {
    return this.#saved
  }

  /** True if it is time for a snapshot. */
  get isDue(): boolean {
    const now = performance.now()
    const often = Math.max(FIRST_MS, (now - this.#began) * AGE_SHARE)
    return now - this.#last >= Math.max(Math.min(this.run.every, often), this.#cost / COST_SHARE)
  }

  /** Saves the state, and waits until it is on the disk. @throws AlbertkitError `output` */
  async save(progress: Progress, best: BestWeights | null): Promise<void> {
    await this.snapshot(progress, best)
    await this.settle()
  }

  /**
   * Writes the state, which must not change until this resolves; it gets its name when it is on the disk.
   * @throws AlbertkitError `output`, also that of the snapshot before
   */
  async snapshot(progress: Progress, best: BestWeights | null): Promise<void> {
    await this.settle()
    const began = performance.now()
    await this.run.trainer.sync()
    const file = this.#newFile()
    try {
      await this.#write(file, progress, best, Infinity)
    } catch (error) {
      file.discard()
      throw error
    }
    const { step } = progress
    this.#cost = performance.now() - began
    this.#last = performance.now()
    this.#flushing = file
      .flush()
      .then(() => {
        file.commit()
        this.#saved = step
      })
      .finally(() => {
        file.discard()
      })
    // Whoever settles gets the error.
    this.#flushing.catch(() => undefined)
  }

  /** Waits until the last snapshot is on the disk. @throws AlbertkitError `output` */
  async settle(): Promise<void> {
    const flushing = this.#flushing
    this.#flushing = Promise.resolve()
    await flushing
  }

  /**
   * Saves the state if that takes no longer than `ms`, without waiting for the disk: what is written outlives the
   * process.
   * @param ready resolves when the state is that after a step
   * @returns number of steps of the state that is saved now; null if there is none
   * @throws AlbertkitError `output`
   */
  async saveWithin(
    ms: number,
    ready: Promise<unknown>,
    state: () => { readonly progress: Progress; readonly best: BestWeights | null },
  ): Promise<number | null> {
    const began = performance.now()
    const until = began + ms
    const { trainer } = this.run
    if (
      !(await isDoneBy(
        ready.then(() => trainer.sync()),
        until,
      ))
    )
      return this.#saved
    const { progress, best } = state()
    if (progress.step === this.#saved) return this.#saved
    const file = this.#newFile()
    try {
      if (!(await this.#write(file, progress, best, until))) return this.#saved
      await isDoneBy(
        file.flush().catch(() => undefined),
        began + ms / 2,
      )
      file.commit({ sync: false })
      return (this.#saved = progress.step)
    } finally {
      file.discard()
    }
  }

  /** Removes the state of a run that is over. */
  async remove(): Promise<void> {
    await this.settle().catch((error: unknown) => {
      if (!(error instanceof AlbertkitError)) throw error
    })
    removeState(this.run.directory)
  }

  #newFile(): WholeFile {
    return new WholeFile(join(this.run.directory, STATE_FILE))
  }

  #write(file: WholeFile, progress: Progress, best: BestWeights | null, until: number): Promise<boolean> {
    const { trainer, fingerprint } = this.run
    // Before the first step the weights follow from the model, the options and the seed.
    const trained = progress.step === 0 ? [] : trainer.trained
    return writeState(file, { trained, best, progress, fingerprint }, until)
  }
}
