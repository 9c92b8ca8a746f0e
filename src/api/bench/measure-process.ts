import { failureOf } from '../../base/error-transfer.js'
import type { MeasureAnswer } from './apart.js'
import { measure, type MeasureTask } from './measure.js'

/** Process that measures one file in one runner. */
const answer = (said: MeasureAnswer, then: () => void = () => undefined): void => void process.send?.(said, then)

process.once('message', (task: MeasureTask) => {
  void measure(task, (progress) => {
    answer({ progress })
  })
    .then((rows): MeasureAnswer => ({ rows }))
    .catch((error: unknown): MeasureAnswer => ({ failure: failureOf(error) }))
    .then((said) => {
      // Threads of the runtime would keep the process alive.
      answer(said, () => process.exit(0))
    })
})
