import * as Flags from '@oclif/core/flags'
import type { Look } from '../report/chart/look.js'
import { pictureFlags, writeFiles } from './common/output.js'
import { TextCommand } from './common/text-command.js'
import { argument, fractionFlag } from './common/flags.js'
import { jobOf, readingFlags, readingOptions, shardFlag, textFlags } from './common/text-flags.js'

export default class Evaluate extends TextCommand {
  static override summary =
    'Evaluate a model on labelled lines: accuracy, loss, metrics by class, confusion matrix, mistakes; F1 of spans.'
  static override description =
    "Computes the metrics of run_classifier's evaluation without TensorFlow, and more: precision, recall and F1 of " +
    'each class, the confusion matrix, the mistakes with the largest loss and the most confident ones, and a ' +
    'warning if the model is no better than chance. With --compare, lists the lines that another model, e.g. a ' +
    'quantised one, labels differently. Token classifiers are scored on CoNLL files, question answering on files in ' +
    'the format of SQuAD.'
  static override examples = [
    {
      description: 'The bundled model on its test lines',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/test.tsv --max-seq-length 64',
    },
    {
      description: 'Source against artefact',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/dev.tsv --compare out',
    },
    {
      description: 'As run_classifier writes it, with a picture',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news fixtures/zh-news/dev.tsv --results eval_results.txt ' +
        '--svg confusion.svg',
    },
  ]
  static override args = {
    model: argument({
      description: 'a model, a directory that `convert` wrote, or one of its .onnx files',
      required: true,
    }),
    file: argument({ description: 'labelled lines; - is standard input', default: '-' }),
  }
  static override flags = {
    ...textFlags,
    ...readingFlags,
    compare: Flags.string({
      description: 'another model: list the lines that the two label differently',
      helpValue: 'MODEL',
    }),
    results: Flags.string({ description: 'write eval_results.txt as run_classifier does', helpValue: 'FILE' }),
    'min-accuracy': fractionFlag('min-accuracy', 'end with exit code 1 if the accuracy is lower'),
    'min-f1': fractionFlag('min-f1', 'end with exit code 1 if the F1 is lower: mean over classes, or of all spans'),
    ...pictureFlags,
    output: Flags.string({ char: 'o', description: 'directory of the shards, with --shard', helpValue: 'DIR' }),
    shard: shardFlag(),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Evaluate)
    const job = { ...jobOf(args.model, args.file, flags, 'jsonl'), ...readingOptions(flags) }
    const listener = await this.listener(job)
    if (await this.runShard('evaluate', job, flags)) return
    const { evaluateFile, writeEvalResults } = await import('../api/inference/evaluate-file.js')
    const { evaluateText, otherEvaluationText } = await import('../report/text/evaluate.js')
    const { confusionChart } = await import('../report/chart/confusion.js')
    const budget = { minAccuracy: flags['min-accuracy'], minF1: flags['min-f1'] }
    const report = await evaluateFile(job, { ...flags, ...budget }, listener)
    const { missed = [] } = report
    for (const sentence of missed) this.speaker.complain(`missed: ${sentence}`)
    const unreported = missed.length > 0 ? 1 : report.bad > 0 && flags.errors === undefined ? 3 : 0
    if (!('confusion' in report)) {
      await this.finish(report, () => otherEvaluationText(report), unreported)
      return
    }
    const { results, force } = flags
    if (results !== undefined) writeEvalResults(report, results, force)
    const chart = (look: Look) => confusionChart(report, look)
    const page = async () => (await import('./common/page.js')).evaluationPage(report, args.model)
    for (const file of await writeFiles({ charts: [chart], page }, flags)) this.talk(`wrote ${file}`)
    await this.finish(report, () => evaluateText(report, report.comparison ?? null), unreported)
  }
}
