// The main job on the bundled model: inspect, convert to tfjs and ONNX, verify both, and read ten-class Chinese
// headlines with the converted models, beside what the genuine TensorFlow code said of them. With a headline as argument it
// answers that one alone.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  convertModel,
  ExampleReader,
  inspectModel,
  openRunner,
  openSource,
  openTextModel,
  predictLines,
  readAll,
} from '../dist/index.js'
import { inspectText } from '../dist/report/text/inspect.js'
import { convertText } from '../dist/report/text/convert.js'
import { table } from '../dist/report/table.js'

const MODEL = fileURLToPath(new URL('../fixtures/zh-news', import.meta.url))
const lines = (file) => readFileSync(join(MODEL, file), 'utf8').trimEnd().split('\n')
const out = mkdtempSync(join(tmpdir(), 'albertkit-demo-'))

/** Position of the largest value in row `row` of `values [rows, width]`. */
const argmax = (values, row, width) => {
  const slice = [...values.slice(row * width, (row + 1) * width)]
  return slice.indexOf(Math.max(...slice))
}

const asked = process.argv.slice(2).join(' ')

/** Converts the model and reads one headline with the result. */
async function answer(text) {
  const directory = join(out, 'zh-news')
  const report = await convertModel(MODEL, directory, { targets: ['onnx'] })
  if (!report.ok) throw new Error('the converted model is not what it was made from')
  const model = await openTextModel(directory, 'classify', 'logits')
  const lines = (async function* () {
    yield { number: 1, text }
  })()
  for await (const { label, probabilities } of predictLines(model, lines, new ExampleReader({ format: 'lines' })))
    console.log(`${text}: ${label} (${(100 * Math.max(...probabilities)).toFixed(1)} %, ${model.detail})`)
  await model.close()
}

async function main() {
  console.log('$ albertkit inspect fixtures/zh-news\n')
  console.log(inspectText(await inspectModel(MODEL)))

  console.log('\n\n$ albertkit convert fixtures/zh-news --to tfjs --to onnx -o out\n')
  const directory = join(out, 'zh-news')
  const report = await convertModel(MODEL, directory, { targets: ['tfjs', 'onnx'] })
  console.log(convertText(report))
  if (!report.ok) process.exitCode = 1

  const golden = await openSource(join(MODEL, 'golden.safetensors'))
  const ints = (name) => new Int32Array(readAll(golden, name).buffer)
  const [batch, sequence] = golden.tensors.get('input_ids').shape
  const inputs = {
    batch,
    sequence,
    input_ids: ints('input_ids'),
    attention_mask: ints('input_mask'),
    token_type_ids: ints('segment_ids'),
  }
  const expected = new Float32Array(readAll(golden, 'logits').buffer)
  const vocabulary = lines('vocab.txt')
  const labels = lines('labels.txt')
  const answers = {}
  for (const [name, file] of [
    ['tfjs-wasm', 'tfjs/model.json'],
    ['onnxruntime', 'onnx/model.onnx'],
  ]) {
    const runner = await openRunner(name, { file: join(directory, file) })
    answers[name] = (await runner.run(inputs)).get('logits').data
    await runner.close()
  }
  const headline = (row) =>
    [...inputs.input_ids.slice(row * sequence, (row + 1) * sequence)]
      .map((id) => vocabulary[id])
      .filter((token) => !/^\[.*\]$/.test(token))
      .map((token) => token.replace(/^##/, ''))
      .join('')
  const rows = Array.from({ length: batch }, (_, row) => {
    const said = [expected, answers['tfjs-wasm'], answers.onnxruntime].map((v) => labels[argmax(v, row, labels.length)])
    if (said.some((label) => label !== said[0])) process.exitCode = 1
    return [headline(row), ...said]
  })
  console.log('\n\nHeadlines, read by TensorFlow and by the converted models\n')
  console.log(table(rows, { head: ['headline', 'TensorFlow', 'tfjs', 'ONNX'] }))
}

try {
  await (asked === '' ? main() : answer(asked))
} finally {
  rmSync(out, { recursive: true, force: true })
}
