import { escapeControl } from '../../base/escape.js'
import { clip, displayWidth } from '../display-width.js'

/** Control sequences: up n lines, erase from there to the end of the screen. */
const up = (lines: number): string => `\u001b[${lines}A\u001b[J`

const SIGNS = { waiting: '·', running: '▸', built: '✔', skipped: '–', planned: '·', failed: '✖' } as const
type State = keyof typeof SIGNS

interface Task {
  state: State
  said: string
}

/** A stream and what is known of it. */
export interface TaskScreen {
  readonly write: (text: string) => void
  /** Columns and rows of a terminal; null of anything else. */
  readonly size: { readonly columns: number; readonly rows: number } | null
}

/** The list of tasks of a build: on a terminal each task has a line that changes, elsewhere each change has one. */
export class TaskList {
  readonly #tasks = new Map<string, Task>()
  #drawn = 0

  constructor(readonly screen: TaskScreen) {}

  begin(names: readonly string[]): void {
    for (const name of names) this.#tasks.set(name, { state: 'waiting', said: '' })
    this.#draw()
  }

  /** A task has come to a step. */
  step(name: string, step: string): void {
    this.#set(name, 'running', step)
    if (this.screen.size === null) this.screen.write(`${escapeControl(`${name}: ${step}`)}\n`)
  }

  /** A step has come this far: only a terminal shows it. */
  progress(name: string, text: string): void {
    if (this.screen.size !== null) this.#set(name, 'running', text)
  }

  end(name: string, state: State, said: string): void {
    this.#set(name, state, said)
    if (this.screen.size === null) this.screen.write(`${escapeControl(`${name}: ${state}, ${said}`)}\n`)
  }

  /** Removes the list from the terminal. */
  clear(): void {
    if (this.#drawn > 0) this.screen.write(up(this.#drawn))
    this.#drawn = 0
  }

  #set(name: string, state: State, said: string): void {
    this.#tasks.set(name, { state, said })
    this.#draw()
  }

  #draw(): void {
    const { size, write } = this.screen
    if (size === null) return
    // A long name leaves half of the line to what is said of the task.
    const width = Math.min(size.columns >> 1, Math.max(...[...this.#tasks.keys()].map(displayWidth)))
    const lines = [...this.#tasks].map(([name, { state, said }]) => {
      const shown = clip(escapeControl(name), width)
      const padded = shown + ' '.repeat(width - displayWidth(shown))
      return clip(`${SIGNS[state]} ${padded}  ${escapeControl(said)}`.trimEnd(), size.columns - 1)
    })
    // What does not fit the screen could not be drawn over: the tasks that run are shown first.
    const running = lines.filter((line) => line.startsWith(SIGNS.running))
    const shown = lines.length < size.rows ? lines : running.slice(0, size.rows - 1)
    write(`${this.#drawn > 0 ? up(this.#drawn) : ''}${shown.map((line) => `${line}\n`).join('')}`)
    this.#drawn = shown.length
  }
}
