import { failureOf } from '../../base/error-transfer.js'
import type { MeasureAnswer } from './apart.js'
import { measure, type MeasureTask } from './measure.js'

/** The process in which one file is measured in one runner. */
const answer = (said: MeasureAnswer, then: () => void = () => undefined): void => void process.send?.(said, then)

process.once('message', (task: MeasureTask) => {
  void measure(task, (progress) => {
    answer({ progress })
  })
    .then((rows): MeasureAnswer => ({ rows }))
    .catch((error: unknown): MeasureAnswer => ({ failure: failureOf(error) }))
    .then((said) => {
      // Runtimes keep threads of their own; nothing is left to do once the answer is out.
      answer(said, () => process.exit(0))
    })
})
