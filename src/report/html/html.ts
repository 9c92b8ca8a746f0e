import { chartSvg, withOwnIds, type Chart } from '../chart/render.js'
import { FONT, PALETTES, type Look } from '../chart/look.js'
import { escapeControl, escapeXml } from '../../base/escape.js'
import type { DataTable } from '../tables.js'

/** Section of a page: tables and pictures. */
export interface Section {
  readonly title: string
  /** Paragraphs before the tables. */
  readonly text?: readonly string[]
  /** The most important tables, shown before the pictures. */
  readonly first?: readonly DataTable[]
  /** Pictures by look. */
  readonly charts: readonly ((look: Look) => Chart)[]
  readonly tables: readonly DataTable[]
}

const safe = (text: string): string => escapeXml(escapeControl(text))

function tableHtml({ title, columns, rows, notes = [] }: DataTable): string {
  const longest = columns.map((_, i) => Math.max(0, ...rows.map((row) => (row[i]?.text ?? '').length)))
  const sizes = columns.map((_, i) => rows.every((row) => /^(\[[\d, ]*\])?$/.test(row[i]?.text ?? '')))
  const classOf = (i: number): string => {
    if (columns[i]?.number === true) return ' class="n"'
    // Short texts stay on one line, as lists of sizes do.
    return longest[i]! > 20 ? ' class="w"' : longest[i]! > 12 && !sizes[i]! ? ' class="m"' : ''
  }
  const cell = (tag: 'th' | 'td', text: string, i: number): string =>
    // Long paths of tensors break after a slash, not within a word.
    `<${tag}${classOf(i)}>${safe(text).replaceAll('/', '/<wbr>')}</${tag}>`
  return [
    '<figure class="table">',
    title === '' ? '' : `<figcaption>${safe(title)}</figcaption>`,
    '<div class="scroll"><table>',
    `<thead><tr>${columns.map((c, i) => cell('th', c.title, i)).join('')}</tr></thead>`,
    '<tbody>',
    ...rows.map((row) => `<tr>${row.map((c, i) => cell('td', c.text, i)).join('')}</tr>`),
    '</tbody></table></div>',
    ...notes.map((note) => `<p class="note">${safe(note)}</p>`),
    '</figure>',
  ].join('\n')
}

/** Renders both looks of a picture; the page shows the one that the browser's colour scheme selects. */
async function chartHtml(chart: (look: Look) => Chart, id: string): Promise<string> {
  const draw = async (look: Look): Promise<string> => {
    const svg = await chartSvg(chart(look), look)
    return `<div class="${look}">${withOwnIds(svg, `${id}-${look}`)}</div>`
  }
  return `<figure class="chart">${await draw('light')}${await draw('dark')}</figure>`
}

const variables = (look: Look): string => {
  const { background, text, muted, grid, series } = PALETTES[look]
  return `--bg:${background};--text:${text};--muted:${muted};--grid:${grid};--accent:${series[0] ?? text};`
}

const STYLE = `
:root{color-scheme:light dark;${variables('light')}}
@media (prefers-color-scheme:dark){:root{${variables('dark')}}.chart .light{display:none}}
@media (prefers-color-scheme:light){.chart .dark{display:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.55 ${FONT};-webkit-font-smoothing:antialiased}
main{max-width:1080px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:30px;line-height:1.25;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:21px;margin:56px 0 12px;padding-top:20px;border-top:1px solid var(--grid)}
p{margin:6px 0 14px;max-width:76ch}
.lead,.note,footer{color:var(--muted)}
.note{font-size:13px;margin:8px 0 0;max-width:none}
figure{margin:22px 0}
.chart{overflow-x:auto}
.chart svg{max-width:max(100%,680px);height:auto;border:1px solid var(--grid);border-radius:10px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:13.5px;font-variant-numeric:tabular-nums}
figcaption{font-weight:600;font-size:15px;padding:0 0 8px}
th,td{padding:5px 14px 5px 0;text-align:left;white-space:nowrap;border-bottom:1px solid var(--grid)}
th{color:var(--muted);font-weight:500;white-space:normal;vertical-align:bottom}
td.w,td.m{white-space:normal;max-width:76ch;overflow-wrap:break-word}
td.w{min-width:22ch}
td.m{min-width:12ch}
th.n,td.n{text-align:right;padding:5px 0 5px 22px}
th.n:first-child,td.n:first-child{padding-left:0}
th:first-child,td:first-child{position:sticky;left:0;background:var(--bg)}
th.n+th:not(.n),td.n+td:not(.n){padding-left:22px}
tbody tr:hover td{background:color-mix(in srgb,var(--accent) 8%,var(--bg))}
nav a{color:var(--accent);text-decoration:none;margin-right:18px}
footer{margin-top:64px;font-size:13px}
@media (max-width:900px){
th,td{padding-right:12px}
th.n,td.n{padding-left:14px}
th.n+th:not(.n),td.n+td:not(.n){padding-left:16px}
}
@media (max-width:600px){
main{padding:24px 14px 60px}
h1{font-size:24px}
td.w,td.m{max-width:44ch}
td.w{min-width:18ch}
}
@media print{main{max-width:none}.chart .dark{display:none}.chart .light{display:block}}
`

const anchor = (i: number): string => `s${i + 1}`

/**
 * Renders a self-contained page: no scripts, fonts or requests; light or dark by the browser's colour scheme.
 * @throws AlbertkitError `environment` if vega is not installed
 */
export async function htmlPage(
  title: string,
  lead: string,
  sections: readonly Section[],
  version: string,
): Promise<string> {
  const bodies: string[] = []
  for (const [i, section] of sections.entries()) {
    const charts: string[] = []
    for (const [j, chart] of section.charts.entries()) charts.push(await chartHtml(chart, `${anchor(i)}-${j}`))
    bodies.push(
      `<section id="${anchor(i)}"><h2>${safe(section.title)}</h2>`,
      ...(section.text ?? []).map((p) => `<p>${safe(p)}</p>`),
      ...(section.first ?? []).map(tableHtml),
      ...charts,
      ...section.tables.map(tableHtml),
      '</section>',
    )
  }
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta http-equiv="Content-Security-Policy" ' +
      `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    '<link rel="icon" href="data:,">',
    `<title>${safe(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body><main>',
    `<h1>${safe(title)}</h1>`,
    `<p class="lead">${safe(lead)}</p>`,
    sections.length > 1
      ? `<nav>${sections.map((s, i) => `<a href="#${anchor(i)}">${safe(s.title)}</a>`).join('')}</nav>`
      : '',
    ...bodies,
    `<footer>albertkit ${safe(version)}</footer>`,
    '</main></body>',
    '</html>',
    '',
  ].join('\n')
}
