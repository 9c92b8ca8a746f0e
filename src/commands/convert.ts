import { hasFilePerPrecision, layoutOf, PRECISION_ALIASES, PRECISIONS, TARGET_NAMES } from '../base/artefact-layout.js'
import { parseTargetChoice, type TargetChoice } from '../base/target-choice.js'
import { AlbertkitError } from '../base/errors.js'
import * as Flags from '@oclif/core/flags'
import { TASK_NAMES, type Task } from '../model/tasks.js'
import { AlbertkitCommand } from './common/base.js'
import { withFlags } from './common/option-flags.js'
import { besideFlags } from './common/text-flags.js'
import {
  agreementFlag,
  argument,
  boundFlag,
  lengthFlag,
  modelFlags,
  openOptions,
  precisionOptions,
} from './common/flags.js'

/** Element types of each target with a choice of them, for the help. */
const DTYPES_OF_TARGETS = TARGET_NAMES.map(layoutOf)
  .filter(({ precisions }) => precisions.length > 0)
  .map(
    (layout) => `${layout.precisions.join(', ')}${hasFilePerPrecision(layout) ? ' (several)' : ''} for ${layout.title}`,
  )
  .join('; ')

/** @throws AlbertkitError `usage` in words of the command line */
function checkedTarget(text: string): string {
  try {
    parseTargetChoice(text)
    return text
  } catch (error) {
    throw error instanceof AlbertkitError ? error.with({ message: withFlags(error.message) }) : error
  }
}

export default class Convert extends AlbertkitCommand {
  static override summary =
    'Convert a model to tfjs, ONNX, TensorFlow Lite, safetensors or a TensorFlow checkpoint, and verify it.'
  static override description =
    'Writes one directory with the model in several formats, laid out as on Hugging Face: albertkit.json, ' +
    'config.json, the vocabulary and tokenizer.json, tfjs/model.json with its shards, onnx/model.onnx, ' +
    'tflite/model.tflite, ' +
    "model.safetensors with the names of transformers, tf/model.ckpt with those of TensorFlow's code. Every weight " +
    'is stored once. The written model is run in real runtimes and compared with a float64 reference; if the check ' +
    'fails, nothing is left behind and the exit code is 1.'
  static override examples = [
    {
      description: 'The bundled model in two formats',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to tfjs --to onnx -o out',
    },
    {
      description: 'Hidden states and embeddings as outputs too',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to onnx --outputs all -o out-all',
    },
    {
      description: 'ONNX in float16 and int8, beside float32',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news --to onnx --dtype f32 --dtype f16 --dtype int8 ' +
        '-o out-small',
    },
    {
      description: 'A format for the browser, and ONNX in two precisions, in one directory',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to tfjs --to onnx:f32,int8 -o out-both',
    },
    {
      description: 'For phones and browsers: TensorFlow Lite in float32 and int8, 64 tokens a row',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to tflite:f32,int8 --sequence 64 -o out-phone',
    },
    {
      description: 'Checked on labelled lines: accuracy before and after',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news --to onnx --dtype int8 ' +
        '--gate fixtures/zh-news/dev.tsv -o out-judged',
    },
    {
      description: 'For transformers, in half the size',
      command:
        '<%= config.bin %> <%= command.id %> fixtures/zh-news --to safetensors --as bert --dtype f16 -o out-half',
    },
    {
      description: 'For transformers: a plain BERT with the same outputs',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to safetensors --as bert -o out-bert',
    },
    {
      description: 'A TensorFlow checkpoint',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to tf -o out-tf',
    },
    {
      description: 'With a model card for the hub',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to onnx:f32,int8 --card -o out-card',
    },
    {
      description: 'With a page that tries it, for any web server',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to tfjs --demo -o out-demo',
    },
    {
      description: 'What would be written',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news --to tfjs -o out-dry --dry-run',
    },
  ]
  static override args = {
    model: argument({ description: 'the source: whatever `inspect` reads', required: true }),
  }
  /** Values that shells complete, of flags that take others too: the manifest has them as options. */
  static completions = { to: [...TARGET_NAMES] }
  static override flags = {
    ...modelFlags,
    vocab: besideFlags.vocab,
    to: Flags.string({
      description:
        `format to write (${TARGET_NAMES.join(', ')}), with element types of its own after a colon: ` +
        'onnx:f32,f16,int8; may be repeated',
      helpValue: 'FORMAT',
      parse: (text) => Promise.resolve(checkedTarget(text)),
      multiple: true,
      multipleNonGreedy: true,
      required: true,
    }),
    as: Flags.string({
      description: 'convert to this architecture: larger, but with the same outputs; with --to safetensors',
      options: ['bert', 'albert'],
    }),
    output: Flags.string({ char: 'o', description: 'directory to write', required: true, helpValue: 'DIR' }),
    task: Flags.string({
      description: 'task whose head is included',
      options: ['auto', ...TASK_NAMES],
      default: 'auto',
    }),
    outputs: Flags.string({
      description: '`all` adds embedding_output and every hidden_state',
      options: ['default', 'all'],
      default: 'default',
    }),
    dtype: Flags.string({
      description: `element type of the weights of formats that name none: ${DTYPES_OF_TARGETS}`,
      options: [...PRECISIONS, ...Object.keys(PRECISION_ALIASES)],
      multiple: true,
      multipleNonGreedy: true,
    }),
    'weights-only': Flags.boolean({ description: 'int8, int4: quantise only the weights, not the activations' }),
    'keep-embeddings': Flags.boolean({ description: 'int8, int4, uint8, uint16: leave embedding tables in float32' }),
    'fp16-compute': Flags.boolean({ description: 'f16 in ONNX: compute in float16 too, for GPUs' }),
    opset: Flags.integer({ description: 'ONNX opset, 17 by default', min: 17, max: 23 }),
    'external-data': Flags.boolean({
      description: 'ONNX: weights in a separate file, as models over 2 GB need',
    }),
    sequence: lengthFlag(),
    batch: Flags.integer({
      description: 'TensorFlow Lite: rows of one run, 1 by default; for multiple choice, the choices of one example',
      min: 1,
      max: 4096,
    }),
    inline: Flags.boolean({
      description: 'TensorFlow Lite: weights inside the flat buffer, for runtimes before TensorFlow 2.14; up to 2 GiB',
    }),
    'min-agreement': agreementFlag(),
    gate: Flags.string({
      description:
        'lines on which rounded weights are checked (.tsv: label<TAB>text), with the accuracy before and after; ' +
        'default: built-in sentences',
      helpValue: 'FILE',
    }),
    card: Flags.boolean({
      description: 'write a model card (README.md) with labels, sizes and the figures of the checks',
    }),
    demo: Flags.boolean({
      description: 'write a page that tries the result in a browser, with its runtimes, into demo/',
    }),
    verify: Flags.boolean({
      description: 'run the written model and compare its outputs',
      default: true,
      allowNo: true,
    }),
    atol: boundFlag(),
    force: Flags.boolean({ description: 'overwrite the formats named in an existing directory; other files stay' }),
    'dry-run': Flags.boolean({ description: 'report what would be written, write nothing' }),
  }

  protected override readonly reportIsResult = false

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Convert)
    const { convertModel } = await import('../api/convert/convert.js')
    const { convertText } = await import('../report/text/convert.js')
    const report = await convertModel(args.model, flags.output, {
      ...openOptions(flags),
      ...(flags.vocab === undefined ? {} : { vocabulary: flags.vocab }),
      targets: flags.to as TargetChoice[],
      task: flags.task as Task,
      ...(flags.as === undefined ? {} : { targetArchitecture: flags.as as 'bert' | 'albert' }),
      allOutputs: flags.outputs === 'all',
      ...precisionOptions(flags),
      card: flags.card,
      demo: flags.demo,
      verify: flags.verify,
      ...(flags.atol === undefined ? {} : { atol: flags.atol }),
      force: flags.force,
      dryRun: flags['dry-run'],
      onProgress: (step) => {
        this.progress(step)
      },
    })
    await this.finish(report, () => withFlags(convertText(report, this.width)), report.ok)
  }
}
