import { writeFileSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import { JobHost } from '../../../src/api/sharded/job-host.js'
import type { QueueJob } from '../../../src/sharding/queue/jobs.js'
import { temporary } from '../../helpers/faults.js'

const place = temporary()
afterEach(() => {
  place.remove()
})

/** Stands for the process of jobs: each says in `output` what becomes of it. */
const PROCESS = `
process.on('message', ({ id, job }) => {
  if (job.output === 'crash') process.kill(process.pid, 'SIGSEGV')
  else if (job.output === 'exit') process.exit(7)
  else if (job.output === 'memory') { const all = []; for (;;) all.push(new Array(1e6).fill(id)) }
  else if (job.output === 'throw') setTimeout(() => { throw new Error('outside of the job') })
  else if (job.output !== 'hang') process.send({ id, done: job.output + ' by ' + process.pid })
})`
const job = (output: string): QueueJob => ({ kind: 'merge', output }) as unknown as QueueJob

it('a job that ends its process fails, and the next one gets another', async () => {
  const file = place.at('process.mjs')
  writeFileSync(file, PROCESS)
  const host = new JobHost({}, 2, file)
  try {
    const first = await host.run(job('a'))
    expect(await host.run(job('a'))).toBe(first)
    for (const [how, message] of [
      ['crash', /crashed \(SIGSEGV\)/],
      ['exit', /exit code 7/],
      ['throw', /exit code 1/],
      ['hang', /longer than 2 seconds/],
    ] as const) {
      await expect(host.run(job(how)), how).rejects.toMatchObject({
        code: 'process-failed',
        message: expect.stringMatching(message) as string,
      })
      expect(await host.run(job('a'))).toMatch(/^a by \d+$/)
    }
    expect(await host.run(job('a'))).not.toBe(first)
  } finally {
    await host.close()
  }
}, 30_000)
