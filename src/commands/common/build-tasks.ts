import type { BuildListener } from '../../api/build/build.js'
import { failures } from '../../report/build/tables.js'
import { TaskList } from '../../report/build/tasks.js'
import { stepText } from '../../report/progress.js'
import { withFlags } from './option-flags.js'

/** The columns and rows of standard error, if it is a terminal that can be drawn over. */
const screenSize = (): { columns: number; rows: number } | null =>
  process.stderr.isTTY && process.env.TERM !== 'dumb'
    ? { columns: process.stderr.columns || 80, rows: process.stderr.rows || 24 }
    : null

/**
 * Shows the models of a build on standard error: a list that changes on a terminal, a line for each step elsewhere.
 * @param quiet true to show nothing
 */
export function buildTasks({ quiet, verbose }: { quiet: boolean; verbose: boolean }): {
  readonly listener: BuildListener
  readonly clear: () => void
} {
  if (quiet) return { listener: {}, clear: () => undefined }
  const write = (text: string): void => void process.stderr.write(text)
  // Details of steps are lines with --verbose: nothing is drawn over them.
  const tasks = new TaskList({ write, size: verbose ? null : screenSize() })
  return {
    listener: {
      onPlan: (names) => {
        tasks.begin(names)
      },
      onStep: (model, step) => {
        tasks.step(model, step)
      },
      onProgress: (model, step) => {
        const text = withFlags(stepText(step))
        if (verbose) tasks.step(model, text)
        else tasks.progress(model, text)
      },
      onModel: (model) => {
        const { name, status, why } = model
        // A plan is in the report.
        if (status !== 'planned') tasks.end(name, status, status === 'failed' ? (failures(model)[0] ?? why) : why)
      },
    },
    clear: () => {
      tasks.clear()
    },
  }
}
