import * as Flags from '@oclif/core/flags'
import type { InferredFlags } from '@oclif/core/interfaces'
import type { TrainRunner } from '../api/finetune/train-runners.js'
import type { TrainTask } from '../api/finetune/train-tasks.js'
import type { TrainData } from '../api/finetune/options.js'
import type { TrainSweepOptions } from '../api/sweep/sweep.js'
import { usage } from '../base/errors.js'
import { omitUndefined } from '../base/omit-undefined.js'
import { AlbertkitCommand } from './common/base.js'
import { argument, modelFlags, openOptions, queueFlags, redisOptions } from './common/flags.js'
import { withFlags } from './common/option-flags.js'
import { pictureFlags, writeCharts } from './common/output.js'
import { shardFlag } from './common/text-flags.js'
import { trainFlags, trainOptions } from './common/train-flags.js'

export default class Finetune extends AlbertkitCommand {
  static override summary = "Train a model further, as BERT's run_classifier does, without TensorFlow or PyTorch."
  static override description =
    "Trains on labelled lines with the optimizer of BERT's optimization.py, or the LAMB of the ALBERT repositories, " +
    'and writes the model in its own format and names, for `convert`, `predict`, `evaluate`. Says before the first ' +
    'step which variables are new, and what is wrong with data or settings; shows loss and accuracy; keeps the best ' +
    'checkpoint. Ctrl-C saves the run, --resume continues it. The same seed gives the same bytes. With --batches the ' +
    'steps are taken on batches that are given, by a recipe, for comparison with the original code.'
  static override examples = [
    {
      description: 'A new head for the ten classes of the bundled model, a few steps',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news --train fixtures/zh-news/train.tsv ' +
        '--dev fixtures/zh-news/dev.tsv --new-head --learning-rate 5e-4 --max-seq-length 48 --steps 20 -o trained',
    },
    {
      description: 'Six trials, ranked; each can also run on a machine of its own',
      command:
        `echo '{"learning-rate": [1e-4, 5e-4, 2e-3], "seed": [0, 1]}' > grid.json && ` +
        '<%= config.bin %> <%= command.id %> fixtures/zh-news --train fixtures/zh-news/train.tsv ' +
        '--dev fixtures/zh-news/dev.tsv --new-head --max-seq-length 48 --steps 10 --sweep grid.json -o trials',
    },
    {
      description: 'The training graph, for a browser',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --export-graph graph',
    },
  ]
  static override args = {
    model: argument({ description: 'the model to start from: whatever `inspect` reads', required: true }),
  }
  static override flags = {
    ...modelFlags,
    ...trainFlags,
    steps: Flags.integer({ description: 'steps to take, in place of --epochs', min: 1, helpValue: 'N' }),
    output: Flags.string({ char: 'o', description: 'directory of the trained model', helpValue: 'DIR' }),
    batches: Flags.string({
      description: 'safetensors with the batch of each step: input_ids_0, input_mask_0, segment_ids_0, label_ids_0 …',
      helpValue: 'FILE',
      dependsOn: ['recipe'],
      exclusive: ['train'],
    }),
    recipe: Flags.string({
      description: 'JSON with init_learning_rate, train_steps, warmup_steps, optimizer …; with --batches',
      helpValue: 'FILE',
      dependsOn: ['batches'],
    }),
    'save-gradients': Flags.string({
      description: 'write the gradients of the first step, before clipping, to this safetensors file',
      helpValue: 'FILE',
      dependsOn: ['batches'],
    }),
    slots: Flags.boolean({
      description: "write the optimizer's slots and global_step into a TensorFlow checkpoint; with --batches",
      default: true,
      allowNo: true,
    }),
    'export-graph': Flags.string({
      description: 'write the graph of loss and gradients, with weights and a page on its use, into this directory',
      helpValue: 'DIR',
      exclusive: ['train', 'batches'],
    }),
    sweep: Flags.string({
      description:
        'train once for every combination of the lists in this JSON file, as {"learning-rate": [1e-5, 5e-5]}; ' +
        'trials and their models go into -o',
      helpValue: 'FILE',
      dependsOn: ['train', 'dev'],
      exclusive: ['batches', 'resume', 'export', 'svg', 'png'],
    }),
    shard: shardFlag({
      description: 'train trial i of n of the sweep alone; `merge` ranks the trials',
      dependsOn: ['sweep'],
    }),
    submit: Flags.boolean({
      description: 'add the trials to a queue instead; -o is then the file of the ranking',
      dependsOn: ['sweep'],
      exclusive: ['shard'],
    }),
    ...queueFlags,
    attempts: Flags.integer({ description: 'number of attempts at a trial in the queue', default: 5, min: 1 }),
    threads: Flags.integer({
      description: 'threads inside an operation; default 2. Results do not depend on it',
      min: 1,
      max: 256,
    }),
    runner: Flags.string({
      description: 'runtime of the steps; default onnxruntime, on the CPU',
      options: ['onnxruntime', 'ort-webgpu', 'ort-cuda'],
    }),
    'allow-software': Flags.boolean({ description: 'accept a GPU that the processor pretends to be' }),
    seed: Flags.integer({ description: 'seed of a new head, the order of lines and dropout', default: 0 }),
    svg: pictureFlags.svg,
    png: pictureFlags.png,
    look: pictureFlags.look,
    force: Flags.boolean({ description: 'overwrite existing outputs' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Finetune)
    if (flags['export-graph'] !== undefined) await this.#exportGraph(args.model, flags['export-graph'], flags)
    else if (flags.batches !== undefined && flags.recipe !== undefined)
      await this.#takeBatches(args.model, flags.batches, flags.recipe, flags)
    else await this.#train(args.model, flags)
  }

  async #takeBatches(model: string, batches: string, recipe: string, flags: FinetuneFlags): Promise<void> {
    const { trainBatches } = await import('../api/finetune/train-batches.js')
    const { batchesText, stepLine } = await import('../report/text/finetune.js')
    const { steps, output, threads, slots, seed, force, 'allow-software': allowSoftware } = flags
    const report = await trainBatches(model, batches, recipe, {
      ...openOptions(flags),
      ...omitUndefined({ steps, output, threads, saveGradients: flags['save-gradients'] }),
      ...omitUndefined({ runner: flags.runner as TrainRunner | undefined }),
      ...{ slots, seed, force, allowSoftware },
      onStep: (step) => {
        this.progress(stepLine(step))
      },
    })
    await this.finish(report, () => withFlags(batchesText(report)), report.ok)
  }

  async #exportGraph(model: string, output: string, flags: FinetuneFlags): Promise<void> {
    const { exportTrainingGraph } = await import('../api/finetune/export-graph.js')
    const { readLabelsFile } = await import('../api/inference/model.js')
    const { graphText } = await import('../report/text/finetune.js')
    const { task, labels, dropout, seed, force } = flags
    const report = await exportTrainingGraph(model, output, {
      ...openOptions(flags),
      ...omitUndefined({ dropout, labels: labels === undefined ? undefined : readLabelsFile(labels) }),
      ...{ task: task as TrainTask, seed, force },
    })
    await this.finish(report, () => withFlags(graphText(report)))
  }

  async #train(model: string, flags: FinetuneFlags): Promise<void> {
    const { train, dev, output, labels, sweep, svg, png } = flags
    if (train === undefined || output === undefined)
      throw usage(`${train === undefined ? '--train' : '-o'} is absent`, {
        code: 'option-missing',
        hint: 'finetune MODEL --train train.tsv --dev dev.tsv -o trained',
      })
    const { readLabelsFile } = await import('../api/inference/model.js')
    const { trainText, trainTalk } = await import('../report/text/finetune.js')
    const options = {
      ...openOptions(flags),
      ...trainOptions(flags),
      ...(labels === undefined ? {} : { labels: readLabelsFile(labels) }),
      output,
      pictures: [svg, png].filter((path) => path !== undefined),
      ...trainTalk({
        talk: (line) => {
          this.talk(withFlags(line))
        },
        progress: (line) => {
          this.progress(line)
        },
      }),
    }
    if (sweep !== undefined) {
      await this.#sweep(model, { train, dev }, { ...options, grid: sweep }, flags)
      return
    }
    const { trainModel } = await import('../api/finetune/train-model.js')
    const report = await trainModel(model, { train, dev }, options)
    const { lossChart } = await import('../report/chart/loss.js')
    const { look, force } = flags
    for (const file of await writeCharts([(own) => lossChart(report, own)], { svg, png, look, force }))
      this.talk(`wrote ${file}`)
    await this.finish(report, () => withFlags(trainText(report)), report.ok)
  }

  async #sweep(model: string, data: TrainData, asked: TrainSweepOptions, flags: FinetuneFlags): Promise<void> {
    const { mergeText, shardDocument, shardText, submitText } = await import('../report/text/short.js')
    const { trialLine } = await import('../report/text/sweep.js')
    const options: TrainSweepOptions = {
      ...asked,
      onTrial: (trial, count, settings) => {
        this.talk(trialLine(trial, count, settings))
      },
    }
    if (flags.submit) {
      const { submitSweep } = await import('../api/sharded/submit-sweep.js')
      const { queue, attempts } = flags
      const report = await submitSweep(model, data, options, {
        ...options,
        queue,
        attempts,
        redis: redisOptions(flags),
      })
      await this.finish(report, () => submitText(report))
      return
    }
    const { trainSweep, trainTrial } = await import('../api/sweep/sweep.js')
    if (flags.shard === undefined) {
      const report = await trainSweep(model, data, options)
      await this.finish(report, () => mergeText(report), report.best !== null)
      return
    }
    const report = await trainTrial(model, data, options, flags.shard)
    await this.finish(shardDocument(report), () => shardText(report))
  }
}

type FinetuneFlags = InferredFlags<typeof Finetune.flags>
