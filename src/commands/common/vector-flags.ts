import * as Flags from '@oclif/core/flags'
import type { VectorOptions } from '../../api/inference/sentence/read-vectors.js'
import { POOLINGS, type Pooling } from '../../api/inference/sentence/vectors.js'

/** Flags about the vectors of texts. @param context put before each description */
export const vectorFlags = (context = '') => ({
  pooling: Flags.string({
    description:
      `${context}how tokens become one vector, instead of the modules of the folder (sentence-transformers); ` +
      'pooled is the output of the pooler; default without such modules: mean',
    options: [...POOLINGS],
  }),
  prompt: Flags.string({
    description: `${context}text to put before each text; default: as the folder says`,
    helpValue: 'TEXT',
    exclusive: ['prompt-name'],
  }),
  'prompt-name': Flags.string({
    description: `${context}name of one of the prompts of the folder: query, passage …`,
    helpValue: 'NAME',
  }),
})

interface VectorFlagValues {
  readonly pooling?: string | undefined
  readonly prompt?: string | undefined
  readonly 'prompt-name'?: string | undefined
}

type Values = { [K in keyof VectorOptions]: VectorOptions[K] | undefined }

/** Values of those flags as options of the library. */
export const vectorOptions = (flags: VectorFlagValues): Values => ({
  pooling: flags.pooling as Pooling | undefined,
  prompt: flags.prompt,
  promptName: flags['prompt-name'],
})
