import { escapeAll } from '../../base/escape.js'
import type { InspectReport, VariableReport } from '../../api/inspect/report.js'
import { bytes, count, percent, shape } from '../format.js'
import { table } from '../table.js'

/** Groups variables that differ only in the number of their layer or group into one line. */
function groupVariables(variables: readonly VariableReport[]): (VariableReport & { readonly times: number })[] {
  const groups = new Map<string, VariableReport & { times: number }>()
  for (const v of variables) {
    const name = v.name.replace(
      /(layer_|group_|(?<!inner_group_\d+\/)attention_|intermediate_|output_|layer\.|groups\.|layers\.)\d+(?=[/.])/g,
      '$1*',
    )
    const key = `${name} ${v.dtype} ${v.shape.join()}`
    const group = groups.get(key)
    if (group === undefined)
      groups.set(key, { ...v, name, slot: v.slot?.replace(/_\d+(?=\/)/g, '_*') ?? null, times: 1 })
    else {
      const { times, parameters, bytes: size } = group
      groups.set(key, { ...group, times: times + 1, parameters: parameters + v.parameters, bytes: size + v.bytes })
    }
  }
  return [...groups.values()]
}

function variableTable(report: InspectReport, all: boolean, width: number): string {
  const shown = report.variables.filter((v) => all || v.slot !== null)
  const rows = all ? shown.map((v) => ({ ...v, times: 1 })) : groupVariables(shown)
  return table(
    rows.map((v) => [
      v.times > 1 ? `${v.name}  (×${v.times})` : v.name,
      v.dtype,
      shape(v.shape),
      count(v.parameters),
      bytes(v.bytes),
      v.slot ?? '-',
    ]),
    { head: ['variable', 'dtype', 'shape', 'parameters', 'bytes', 'slot'], right: [3, 4], spare: [4, 5, 1], width },
  )
}

function breakdown({ parameters, config }: InspectReport): string[] {
  if (parameters === null || config === null) return []
  const { V, E, H, unfactorised, factorised, ratio } = parameters.embedding
  const embedding =
    config.architecture === 'bert'
      ? [`  V·H            ${V} · ${H} = ${count(unfactorised)} (not factorised)`]
      : [
          `  V·H            ${V} · ${H} = ${count(unfactorised)}`,
          `  V·E + E·H      ${V} · ${E} + ${E} · ${H} = ${count(factorised)}`,
          `  ratio          ${ratio.toFixed(2)} × smaller`,
        ]
  const parts = Object.entries(parameters.parts)
    .filter(([, n]) => n > 0)
    .map(([part, n]) => [`  ${part}`, count(n), percent(n, parameters.stored)])
  return [
    'embedding factorisation',
    ...embedding,
    '',
    'parameters',
    `  stored         ${count(parameters.stored)}  (${bytes(parameters.bytes)})`,
    `  used           ${count(parameters.used)}  (every layer counted; ` +
      `${(parameters.used / parameters.stored).toFixed(2)} × stored: sharing shrinks storage, not computation)`,
    '',
    table(parts, { head: ['  part', 'stored', 'share'], right: [1, 2] }),
  ]
}

const list = <T>(title: string, items: readonly T[], all: boolean, line: (item: T) => string): string[] => {
  if (items.length === 0) return []
  const limit = all ? items.length : 8
  const more = items.length - limit
  return [
    '',
    title,
    ...items.slice(0, limit).map((item) => `  ${line(item)}`),
    ...(more > 0 ? [`  … and ${more} more (--all)`] : []),
  ]
}

function configLines(c: NonNullable<InspectReport['config']>): string[] {
  const sharing =
    c.family === 'zh' || c.architecture === 'bert'
      ? ''
      : `, ${c.num_hidden_groups} group${c.num_hidden_groups === 1 ? '' : 's'} × ${c.inner_group_num} inner`
  return [
    `config   ${c.num_hidden_layers} layers${sharing}, hidden ${c.hidden_size}, embedding ${c.embedding_size}, ` +
      `heads ${c.num_attention_heads}, intermediate ${c.intermediate_size}`,
    `         vocabulary ${c.vocab_size}, positions ${c.max_position_embeddings}, token types ${c.type_vocab_size}, ` +
      `${c.hidden_act}, ${c.norm_position}-LN, epsilon ${c.layer_norm_eps}`,
  ]
}

/** Lines about the fields that a missing configuration must have. */
function draftLines(draft: InspectReport['draft']): string[] {
  if (draft === null) return []
  const known = Object.entries(draft.fields).filter(
    ([field, value]) => value !== null && !draft.assumed.includes(field),
  )
  const say = (fields: readonly (readonly [string, unknown])[]): string =>
    fields.map(([field, value]) => `${field} ${String(value)}`).join(', ')
  const usual = draft.assumed.map((field) => [field, draft.fields[field]] as const)
  return [
    `config   absent; the weights show ${say(known)}`,
    ...(draft.unknown.length === 0 ? [] : [`         a configuration must say ${draft.unknown.join(', ')}`]),
    ...(usual.length === 0 ? [] : [`         usual, but not shown by the weights: ${say(usual)}`]),
    ...draft.similar.map(({ name, fields }) => `         ${name} has these sizes: ${say(Object.entries(fields))}`),
    `         \`writeConfig\` saves a draft of ${draft.file}, to be completed and given as \`config\``,
  ]
}

function headsText({ heads, config }: InspectReport): string {
  if (heads.length > 0) return heads.join(', ')
  return config === null ? 'not known without a configuration' : 'none'
}

/** Renders the report of `inspect` as text. */
export function inspectText(raw: InspectReport, all = false, width = Infinity): string {
  const report = escapeAll(raw)
  const { counts } = report
  return [
    `format   ${report.format} (${report.files.join(', ')})`,
    `family   ${report.family}: ${report.title}`,
    `why      ${report.reason}`,
    ...(report.config === null ? draftLines(report.draft) : configLines(report.config)),
    `heads    ${headsText(report)}`,
    `names    ${counts.mapped} mapped, ${counts.skipped} skipped, ${counts.unknown} unknown, ${counts.missing} missing`,
    ...report.notes.map((note) => `note     ${note}`),
    '',
    variableTable(report, all, width),
    '',
    ...breakdown(report),
    ...list('missing files', report.missingFiles, true, (file) => file),
    ...list('missing', report.missing, true, ({ variable, slot }) => `${variable}  (${slot})`),
    ...list('skipped', report.skipped, all, ({ variable, reason }) => `${variable}  (${reason})`),
    ...list('unknown', report.unknown, true, (name) => name),
  ].join('\n')
}
