import { artefactPath, type Target } from '../../base/artefact-layout.js'

/** How the files of a card are loaded, each in the words of its library. */

const CLASSES: Readonly<Record<string, string>> = {
  features: 'AutoModel',
  pretraining: 'AutoModelForPreTraining',
  mlm: 'AutoModelForMaskedLM',
  sop: 'AutoModelForPreTraining',
  classify: 'AutoModelForSequenceClassification',
  'token-classification': 'AutoModelForTokenClassification',
  'multiple-choice': 'AutoModelForMultipleChoice',
  qa: 'AutoModelForQuestionAnswering',
}

const SNIPPETS: Readonly<Partial<Record<Target, (task: string) => string>>> = {
  safetensors: (task) => {
    const name = CLASSES[task] ?? 'AutoModel'
    return `\`\`\`python
from transformers import AutoTokenizer, ${name}
tokenizer, model = AutoTokenizer.from_pretrained("."), ${name}.from_pretrained(".")
\`\`\``
  },
  onnx: () => `\`\`\`python
import onnxruntime
session = onnxruntime.InferenceSession("${artefactPath('onnx')}")
\`\`\``,
  tfjs: () => `\`\`\`js
import { loadGraphModel } from '@tensorflow/tfjs-converter'
const model = await loadGraphModel('${artefactPath('tfjs')}')
\`\`\``,
}

/** Code that loads each format; empty if there is none for these. */
export const useOf = (targets: readonly Target[], task: string): string =>
  [...new Set(targets)].flatMap((target) => SNIPPETS[target]?.(task) ?? []).join('\n\n')
