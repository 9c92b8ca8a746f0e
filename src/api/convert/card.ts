import { layoutOf, TARGET_NAMES, type Target } from '../../base/artefact-layout.js'
import { escapeControl } from '../../base/escape.js'
import type { GateReport } from '../gate/gate.js'
import type { Manifest, ManifestArtefact } from '../../export/manifest.js'
import type { ModelOrigin } from '../../hub/origin.js'
import type { ResolvedTask } from '../../model/tasks.js'
import { useOf } from './card-use.js'

/** The model card of an output directory: README.md, as the hub shows it. Its figures are those of the manifest. */

/** What stands between these lines is written again by the next conversion; everything else is the user's. */
const BEGIN = '<!-- albertkit: what follows, up to its end, is written again by the next conversion with a card -->'
const END = '<!-- albertkit: end -->'

/** Contents of a card that the manifest has not. */
export interface CardFacts {
  /** Names of the classes, in the order of the model's outputs; null if it has none. */
  readonly labels: readonly string[] | null
  /** Distinct parameters of the source, and how many the layers use. */
  readonly parameters: number
}

/** Comparison of one output, as the manifest has it. */
interface Compared {
  readonly runner: string
  readonly output: string
  readonly rows?: string
  readonly maxAbs: number | null
  readonly atol: number
}

interface Verified {
  readonly arbiter: string
  readonly comparisons: readonly Compared[]
  readonly weights: { readonly compared: number }
}

const number = (value: number): string => value.toLocaleString('en-US')
const small = (value: number | null): string =>
  value === null ? 'not a number' : value === 0 ? '0' : value.toExponential(1)
const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`

/** Text of a model, safe in Markdown: names may hold anything. */
export const inMarkdown = (text: string): string =>
  escapeControl(text)
    .replace(/[\\`*_{}[\]|#~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const section = (title: string, body: string): string => (body === '' ? '' : `## ${title}\n\n${body}\n`)

type Artefacts = readonly (readonly [key: string, artefact: ManifestArtefact])[]

const targetOf = (key: string): Target =>
  TARGET_NAMES.find((name) => key === name || key.startsWith(`${name}-`)) ?? 'onnx'
const titleOf = (key: string): string => layoutOf(targetOf(key)).title
const dtypeOf = ({ dtype }: ManifestArtefact, key: string): string =>
  dtype ?? (key === 'safetensors' || key === 'tf' ? 'as in the source' : 'f32')

const labelsTable = (labels: readonly string[] | null): string =>
  labels === null
    ? ''
    : table(
        ['id', 'label'],
        labels.map((label, id) => [String(id), inMarkdown(label)]),
      )

const filesTable = (artefacts: Artefacts): string =>
  table(
    ['format', 'weights', 'file', 'bytes', 'SHA-256'],
    artefacts.flatMap(([key, artefact]) =>
      artefact.files.map(({ name, bytes, sha256 }) => [
        titleOf(key),
        dtypeOf(artefact, key),
        `\`${name}\``,
        bytes === undefined ? '' : number(bytes),
        sha256 === undefined ? '' : `\`${sha256.slice(0, 16)}…\``,
      ]),
    ),
  )

/** Reduced precisions: what they weigh, and how often they answer as float32 does. */
function precisionTable(artefacts: Artefacts): string {
  const gated = artefacts.flatMap(([key, artefact]) => {
    const gate = artefact.gate as GateReport | undefined
    return gate === undefined ? [] : [{ key, artefact, gate }]
  })
  if (gated.length === 0) return ''
  const rows = gated.map(({ key, artefact, gate: { agreement, rows: count, inputs, accuracy } }) => [
    titleOf(key),
    dtypeOf(artefact, key),
    number(artefact.weightBytes),
    `${percent(agreement)}, ${number(count)} rows (${inputs})`,
    accuracy === null ? 'not measured' : `${percent(accuracy.before)} → ${percent(accuracy.after)}`,
  ])
  return table(['format', 'weights', 'bytes of weights', 'agreement with float32', 'accuracy'], rows)
}

/** The largest difference of each output of an artefact from what was expected. */
function parityRows(key: string, artefact: ManifestArtefact): string[][] {
  const { comparisons = [] } = (artefact.verification ?? {}) as Partial<Verified>
  const names = [...new Set(comparisons.filter(({ rows }) => rows === undefined).map((c) => `${c.runner} ${c.output}`))]
  return names.map((name) => {
    const own = comparisons.filter((c) => c.rows === undefined && `${c.runner} ${c.output}` === name)
    const worst = own.reduce((a, b) => ((b.maxAbs ?? Infinity) > (a.maxAbs ?? Infinity) ? b : a))
    return [
      titleOf(key),
      dtypeOf(artefact, key),
      worst.runner,
      `\`${worst.output}\``,
      small(worst.maxAbs),
      small(worst.atol),
    ]
  })
}

function parity(artefacts: Artefacts): string {
  const rows = artefacts.flatMap(([key, artefact]) => parityRows(key, artefact))
  const unverified = artefacts.filter(([, { verification }]) => verification === null).map(([key]) => key)
  const told = unverified.length === 0 ? '' : `\n\nNot verified: ${unverified.join(', ')}.`
  if (rows.length === 0) return told.trim()
  const head = ['format', 'weights', 'runtime', 'output', 'largest difference', 'bound']
  const about =
    'Outputs of the files above, run in these runtimes, against a forward pass in float64 of the same weights; every ' +
    'weight was read back and compared too.'
  return `${about}\n\n${table(head, rows)}${told}`
}

function sourceText({ source }: ManifestArtefact, albertkit: string): string {
  const { repo, commit, url, tag, path } = (source.origin ?? {}) as ModelOrigin
  const from = [
    ...(repo === undefined
      ? []
      : [`[${repo}](https://huggingface.co/${repo})${path === undefined ? '' : `, \`${path}\``}`]),
    ...(commit === undefined ? [] : [`commit \`${commit}\``]),
    ...(url === undefined ? [] : [`<${url}>`]),
    ...(tag === undefined ? [] : [`ETag \`${tag}\``]),
  ]
  const rows = source.files.map(({ name, bytes, sha256 }) => [
    `\`${escapeControl(name).replaceAll('`', '').replaceAll('|', '\\|')}\``,
    bytes === undefined ? '' : number(bytes),
    sha256 === undefined ? '' : `\`${sha256}\``,
  ])
  const origin = from.length === 0 ? '' : `${from.join(', ')}. `
  return `${origin}Read as ${source.format} by albertkit ${albertkit}.\n\n${table(['file', 'bytes', 'SHA-256'], rows)}`
}

/** Tasks of the hub. */
const PIPELINES: Readonly<Partial<Record<ResolvedTask, string>>> = {
  features: 'feature-extraction',
  pretraining: 'fill-mask',
  mlm: 'fill-mask',
  classify: 'text-classification',
  'token-classification': 'token-classification',
  qa: 'question-answering',
}

/** Fields that the hub reads; the licence is nobody's but the user's to choose. */
function metadata({ artefacts, config }: Manifest, task: string): string {
  const keys = Object.keys(artefacts)
  const { architecture } = config as { readonly architecture?: string }
  const formats = [...new Set(keys.map(targetOf))]
  const library = formats.includes('safetensors') ? 'transformers' : formats.includes('onnx') ? 'transformers.js' : null
  const pipeline = PIPELINES[task as ResolvedTask]
  const repo = (Object.values(artefacts)[0]?.source.origin as ModelOrigin | undefined)?.repo
  return [
    '---',
    'license: # yours to say: https://huggingface.co/docs/hub/repositories-licenses',
    ...(library === null ? [] : [`library_name: ${library}`]),
    ...(pipeline === undefined ? [] : [`pipeline_tag: ${pipeline}`]),
    ...(repo === undefined ? [] : [`base_model: ${JSON.stringify(repo)}`]),
    'tags:',
    ...[architecture ?? 'albert', ...formats, 'albertkit'].map((tag) => `  - ${tag}`),
    '---',
  ].join('\n')
}

function body(manifest: Manifest, { labels, parameters }: CardFacts): string {
  const artefacts = Object.entries(manifest.artefacts)
  const [, first] = artefacts[0] ?? []
  const {
    architecture = '',
    num_hidden_layers: layers,
    hidden_size: hidden,
  } = manifest.config as Record<string, unknown>
  const size = `${number(parameters)} parameters, ${String(layers)} layers of width ${String(hidden)}`
  const title = `${String(architecture).toUpperCase()} for the task \`${first?.task ?? ''}\``
  const intro = `${title}: ${size}, family \`${manifest.family}\`.\n`
  return [
    intro,
    section('Labels', labelsTable(labels)),
    section('Files', filesTable(artefacts)),
    section('Precision', precisionTable(artefacts)),
    section('Parity', parity(artefacts)),
    section(
      'Use',
      useOf(
        artefacts.map(([key]) => targetOf(key)),
        first?.task ?? '',
      ),
    ),
    section('Source', first === undefined ? '' : sourceText(first, manifest.albertkit)),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** True of a card whose figures can be written again. */
export const isOwnCard = (text: string): boolean => text.includes(BEGIN) && text.indexOf(END) > text.indexOf(BEGIN)

/**
 * Text of the card.
 * @param before the card that is there, whose own parts stay; null if there is none
 */
export function cardText(manifest: Manifest, facts: CardFacts, before: string | null): string {
  const figures = `${BEGIN}\n\n${body(manifest, facts)}\n${END}`
  if (before !== null && isOwnCard(before))
    return before.slice(0, before.indexOf(BEGIN)) + figures + before.slice(before.indexOf(END) + END.length)
  const [first] = Object.values(manifest.artefacts)
  const title = (first?.source.origin as ModelOrigin | undefined)?.repo ?? `A model of family ${manifest.family}`
  const own =
    'What the model is for, how it was trained, what it must not be used for: yours to say, here or anywhere outside ' +
    'of the two comments.'
  return `${metadata(manifest, first?.task ?? '')}\n\n# ${inMarkdown(title)}\n\n${own}\n\n${figures}\n`
}
