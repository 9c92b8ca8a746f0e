import { probe, type ProbeTask } from './probe.js'

/** Process that tries a runtime, isolated because a runtime may crash or hang. */
process.once('message', (task: ProbeTask) => {
  void probe(task).then((answer) => {
    // Threads of the runtime would keep the process alive.
    process.send?.(answer, () => process.exit(0))
  })
})
