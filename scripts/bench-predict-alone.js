// One thread of a process of its own for bench-predict.js, which compares two threads with two such processes at once:
//   node scripts/bench-predict-alone.js MODEL FILE MAX_LENGTH BATCH
// Reads the whole file for each line `read` of standard input, and prints the number of its lines then.
import { createInterface } from 'node:readline'
import { openForReading } from '../dist/api/inference/job.js'
import { predictions } from '../dist/api/inference/piece.js'

const [model, input, maxSeqLength, batch] = process.argv.slice(2)
const job = { model, input, format: 'jsonl', maxSeqLength: Number(maxSeqLength), batch: Number(batch), threads: 1 }
const opened = await openForReading(job)
for await (const command of createInterface({ input: process.stdin })) {
  if (command !== 'read') throw new Error(command)
  let seen = 0
  for await (const { label } of predictions(opened, job)) seen += Number(label !== '')
  console.log(seen)
}
await opened.close()
