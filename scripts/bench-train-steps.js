// Processor time of training steps, for bench-train.js: reads a request on standard input, writes JSON.
import { readFileSync } from 'node:fs'
import { prepareModel } from '../dist/api/finetune/prepared-model.js'
import { oneHot } from '../dist/api/finetune/step-batch.js'
import { Trainer } from '../dist/api/finetune/trainer.js'
import { openModel } from '../dist/api/open/open.js'
import { headsFor } from '../dist/model/tasks.js'
import { DEFAULT_SETTINGS } from '../dist/training/optimizer.js'
import { familyRules } from '../dist/training/rules.js'

const { model, batch, sequence, steps } = JSON.parse(readFileSync(0, 'utf8'))
/** As in a training run: a batch is computed in four parts. */
const PARTS = 4
const opened = await openModel(model)
const prepared = prepareModel(opened, { task: 'classify', classes: 10, seed: 0 })
const trainer = await Trainer.open(prepared.model, prepared.values, {
  heads: headsFor('classify'),
  loss: 'softmax',
  settings: DEFAULT_SETTINGS,
  rules: familyRules('hf'),
})
const rows = batch / PARTS
const size = rows * sequence
const part = (n) => ({
  inputs: {
    batch: rows,
    sequence,
    input_ids: Int32Array.from({ length: size }, (_, i) => 5 + ((i * 7919 + n) % (opened.config.vocab_size - 5))),
    attention_mask: new Int32Array(size).fill(1),
    token_type_ids: new Int32Array(size),
  },
  targets: [
    {
      dims: [rows, 10],
      data: oneHot(
        Int32Array.from({ length: rows }, (_, i) => (i + n) % 10),
        10,
      ),
    },
  ],
  count: rows,
})
const parts = Array.from({ length: PARTS }, (_, n) => part(n))
async function step(n) {
  const { gradientNorm } = await trainer.computeGradients(parts, n)
  trainer.update(1e-5, gradientNorm)
}
await step(0)
const before = process.cpuUsage()
for (let n = 1; n <= steps; n++) await step(n)
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ cpu: (user + system) / 1e6, rss: process.resourceUsage().maxRSS * 1024 }))
await trainer.close()
