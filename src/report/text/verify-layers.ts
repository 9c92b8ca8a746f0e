import type { VerifyReport } from '../../api/verify/verify.js'
import { scientific } from '../format.js'
import { table } from '../table.js'

/** Tables that locate a divergence: layers by runtimes, operations by layers. */

type Operation = NonNullable<VerifyReport['operations']>[number]

/** `layer 3`, `embeddings`, `head`. */
export const layerName = (layer: number | null): string =>
  layer === null ? 'head' : layer < 0 ? 'embeddings' : `layer ${layer}`

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)]

const cell = (found: { readonly maxAbs: number | null; readonly ok: boolean } | undefined): string =>
  found === undefined ? '' : `${scientific(found.maxAbs)}${found.ok ? '' : ' DIFFERS'}`

/** Largest difference of every hidden state, layer by runtime. */
function layersTable(layers: NonNullable<VerifyReport['layers']>): string {
  const runners = unique(layers.map(({ runner }) => runner))
  const outputs = unique(layers.map(({ output }) => output))
  const rows = outputs.map((output) => {
    const of = layers.filter((l) => l.output === output)
    return [
      layerName(of[0]?.layer ?? null),
      output,
      ...runners.map((runner) => cell(of.find((l) => l.runner === runner))),
    ]
  })
  return table(rows, { head: ['layer', 'after it', ...runners], right: runners.map((_, i) => i + 2) })
}

/** Table of layer × operation: fraction of its bound that each operation uses. */
function operationsTable(operations: readonly Operation[]): string {
  const kinds = unique(operations.map(({ operation }) => operation))
  const rows = unique(operations.map(({ layer }) => layer)).map((layer) => [
    layerName(layer),
    ...kinds.map((kind) => {
      const found = operations.find((o) => o.layer === layer && o.operation === kind)
      if (found === undefined) return ''
      const use = found.maxAbs === null ? NaN : found.maxAbs / found.atol
      const part = use >= 100 ? use.toFixed(0) : use.toPrecision(2)
      return found.ok ? part : `${part} DIFFERS`
    }),
  ])
  return table(rows, { head: ['', ...kinds], right: kinds.map((_, i) => i + 1) })
}

/** Tables of `--layers` and `--bisect`, each followed by an empty line. */
export function layersText({ layers = [], operations = [] }: VerifyReport): string[] {
  const lines = layers.length === 0 ? [] : ['max |Δ| after each layer', layersTable(layers), '']
  for (const runner of unique(operations.map((o) => o.runner)))
    lines.push(
      `operations in ${runner}, each given the runtime's own values: part of its bound that it uses`,
      operationsTable(operations.filter((o) => o.runner === runner)),
      '',
    )
  return lines
}

/** `first divergent: layer 2, softmax (onnxruntime, encoder/layer_2/attention/probabilities)` */
export function divergenceText(found: NonNullable<VerifyReport['firstDivergent']> | null): string {
  if (found === null) return 'first divergent: none'
  const { layer, operation, runner, output } = found
  return `first divergent: ${layerName(layer)}${operation === null ? '' : `, ${operation}`} (${runner}, ${output})`
}

/** `; 3 operations are wrong by themselves`, or an empty string. */
export function wrongOperations({ operations = [] }: VerifyReport): string {
  const wrong = operations.filter(({ ok }) => !ok).length
  return wrong === 0 ? '' : `; ${wrong} operations are wrong by themselves`
}
