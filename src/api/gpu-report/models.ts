import { join } from 'node:path'
import type { TargetChoice } from '../../base/target-choice.js'
import { writeText } from '../../files/output-file.js'
import { convertModel } from '../convert/convert.js'
import { initModel } from '../init/init.js'

/** A model of random weights. */
export interface GpuModel {
  readonly name: string
  /** Name of a preset, or the fields of a configuration. */
  readonly of: string | Readonly<Record<string, unknown>>
  /** True if a software adapter runs it in seconds. */
  readonly isSmall: boolean
  /** Tokens of the rows whose speed is measured. */
  readonly length: number
  /** Formats to write it in. */
  readonly targets: readonly TargetChoice[]
}

/** Sizes of the small models of each family. */
const SMALL = {
  vocab_size: 400,
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 128,
  max_position_embeddings: 32,
  type_vocab_size: 2,
  hidden_act: 'gelu',
}

const EVERY = ['onnx:f32,f16,int8,int4', 'tfjs', 'tflite'] as const
const GROUPS = { embedding_size: 32, num_hidden_groups: 1, inner_group_num: 1 }

/** Families at a small size, then sizes: what costs least first, so that a report that ends early says most. */
export const GPU_MODELS: readonly GpuModel[] = [
  {
    name: 'zh, small',
    of: { ...SMALL, embedding_size: 32, ln_type: 'postln' },
    isSmall: true,
    length: 32,
    targets: EVERY,
  },
  { name: 'google, small', of: { ...SMALL, ...GROUPS }, isSmall: true, length: 32, targets: EVERY },
  { name: 'bert, small', of: SMALL, isSmall: true, length: 32, targets: EVERY },
  { name: 'albert-tiny', of: 'albert-tiny-zh-google', isSmall: false, length: 128, targets: EVERY },
  { name: 'albert-base', of: 'albert-base', isSmall: false, length: 128, targets: EVERY },
  { name: 'albert-xxlarge', of: 'albert-xxlarge', isSmall: false, length: 128, targets: ['onnx:f32,f16', 'tfjs'] },
]

/** Writes a model and its formats. @returns paths of both */
export async function writeGpuModel(
  { of, targets }: GpuModel,
  folder: string,
): Promise<{ readonly source: string; readonly directory: string }> {
  const [source, directory, config] = [join(folder, 'source'), join(folder, 'formats'), join(folder, 'config.json')]
  if (typeof of !== 'string') writeText(config, JSON.stringify(of))
  await initModel(typeof of === 'string' ? of : config, source, { task: 'classify', labels: 3, verify: false })
  await convertModel(source, directory, { targets, verify: false })
  return { source, directory }
}
