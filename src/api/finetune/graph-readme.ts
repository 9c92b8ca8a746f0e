import type { LossKind } from '../../training/loss.js'
import type { TrainTask } from './train-tasks.js'

const TARGETS: Readonly<Record<LossKind, string>> = {
  softmax: 'a 1 at the class, else 0; rows of zeros (tokens without a tag) do not count',
  sigmoid: 'a 1 for every class of the text, else 0',
  squared: 'the numbers',
  spans: 'a 1 at the first token of the answer, `end_targets` at the last one',
}
const SCALES: Readonly<Record<LossKind, string>> = {
  softmax: '1 / (texts, or tokens with a tag)',
  sigmoid: '1 / (texts · classes)',
  squared: '1 / texts',
  spans: '1 / (2 · texts)',
}

/** Page that explains the files of an exported training graph. */
export const graphReadme = (task: TrainTask, loss: LossKind): string => `# A training graph (${task})

\`gradients.onnx\` computes loss, logits and gradients of a batch, \`logits.onnx\` the logits alone, without
dropout. Both are plain ONNX (operator set 17) and run wherever onnxruntime runs: in Node, in a browser
(onnxruntime-web), in Python. The weights are inputs, named after their slots, each in its stored shape;
\`weights.safetensors\` holds where they start. \`graph.json\` lists inputs, outputs, parameters and settings. Batch
size and sequence length are free.

## A step

1. Feed \`input_ids\`, \`attention_mask\`, \`token_type_ids\` (int64, [batch, sequence]), all weights, and
   - \`targets\` (float32, in the shape of the logits): ${TARGETS[loss]};
   - \`scale\` (float32 scalar): ${SCALES[loss]};
   - every input of \`dropout\` in graph.json: uint8, 1 to keep a value, 0 to drop it with the probability \`rate\`.
2. Fetch \`loss\` and \`gradients/<slot>\` of every parameter.
3. Global norm: the square root of the sum of squares of all gradients; of a parameter with \`squares\` take that
   output in place of its own sum. If it is above \`clipNorm\`, multiply every gradient g by clipNorm / norm.
4. AdamW (BERT's optimization.py), for each element, with m and v zero at first and no correction of their bias:
   \`m = β1·m + (1 − β1)·g\`, \`v = β2·v + (1 − β2)·g²\`,
   \`u = m / (√v + ε) + (decays ? weightDecay · w : 0)\`, \`w = w − rate · u\`. LAMB multiplies rate by |w| / |u| if the
   parameter \`adapts\`.

The rate rises linearly in the first tenth of the steps and then falls to 0: \`rate · (1 − step / steps)\`.

Gradients of lookups use ScatterElements: ScatterND with reduction loses updates in onnxruntime with several threads.
`
