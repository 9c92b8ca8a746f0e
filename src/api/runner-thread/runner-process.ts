import { answerRequests } from '../../base/asked-process.js'
import { openRunner, type Runner } from '../../runtime/runners.js'
import { runnerData, type ProcessReply, type ProcessRequest } from './runner-data.js'

/** Process in which the runner of a `ProcessRunner` runs: it can be ended while a native runtime computes. */

let opened: Runner | null = null

answerRequests(async (request: ProcessRequest): Promise<ProcessReply> => {
  if ('open' in request) {
    const { name, what, options } = request.open
    opened = await openRunner(name, what, options)
    return { runner: runnerData(opened) }
  }
  return { outputs: await opened!.run(request.inputs, request.wanted) }
})
