import { writeFileSync } from 'node:fs'
import * as Flags from '@oclif/core/flags'
import { writing } from '../export/files.js'
import { argument } from './args.js'
import { AlbertkitCommand } from './base.js'
import { jobOf, shardFlag, textFlags } from './text-flags.js'
import { runEvaluation, runTextShard } from './text-run.js'

export default class Evaluate extends AlbertkitCommand {
  static override summary = 'Score a classifier on labelled lines: accuracy, loss, classes, confusion, mistakes.'
  static override description = `What run_classifier's evaluation gives, without TensorFlow, and what it does not tell: precision, recall and F1 of each class, the confusion matrix, the worst and the surest mistakes, and a warning where the model does no better than chance. With --compare the lines that another model, a quantised one say, labels differently.`
  static override examples = [
    { description: 'The bundled model on its test lines', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/test.tsv --max-seq-length 64' },
    { description: 'Source against artefact', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/dev.tsv --compare out' },
    { description: 'As run_classifier writes it, with a picture', command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/dev.tsv --results eval_results.txt --svg confusion.svg' },
  ] // prettier-ignore
  static override args = {
    model: argument({ description: 'a model, a directory that `convert` wrote, or one of its .onnx files', required: true }),
    file: argument({ description: 'labelled lines; - is standard input', default: '-' }),
  } // prettier-ignore
  static override flags = {
    ...textFlags,
    compare: Flags.string({ description: 'another model: shows the lines that the two label differently', helpValue: 'MODEL' }),
    results: Flags.string({ description: 'write eval_results.txt as run_classifier does', helpValue: 'FILE' }),
    svg: Flags.string({ description: 'write the confusion matrix as a picture', helpValue: 'FILE' }),
    output: Flags.string({ char: 'o', description: 'directory of the shards, with --shard', helpValue: 'DIR' }),
    shard: shardFlag(),
  } // prettier-ignore

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Evaluate)
    const job = jobOf(args.model, args.file, flags, 'jsonl')
    const talk = { talk: (line: string) => { this.talk(line) }, progress: (line: string) => { this.progress(line) } } // prettier-ignore
    if (flags.shard !== undefined) {
      const { text, report } = await runTextShard('evaluate', job, flags.shard, flags.output, talk)
      await this.finish(report, () => text)
      return
    }
    const write = (path: string, text: string): void => { writing(path, () => { writeFileSync(path, text) }) } // prettier-ignore
    const { report, text, results, svg } = await runEvaluation(job, flags, talk)
    if (flags.results !== undefined) write(flags.results, results)
    if (flags.svg !== undefined) write(flags.svg, await svg())
    await this.finish(report, () => text)
  }
}
