import { gpuSection } from '../dist/report/text/gpu-section.js'

const [BEGIN, END] = [
  '<!-- Sections of docs/gpu-reports, made by `npm run gpu:docs`. -->',
  '<!-- End of the sections. -->',
]

/** Paths of a machine. */
const PATH = /(?:^|[\s"'(:=])\/(?:home|root|tmp|work|mnt|media|opt|srv|usr|var|Users|private|data)\/|[A-Z]:\\\\/m

/**
 * A document with the sections of the reports between its marks.
 * @param {string} document
 * @param {readonly string[]} reports JSON texts
 */
export function gpuDocument(document, reports) {
  const [start, end] = [document.indexOf(BEGIN), document.indexOf(END)]
  if (start === -1 || end < start) throw new Error(`docs/gpu.md has no lines ${BEGIN} and ${END}`)
  const sections = reports.map((text) => {
    const path = PATH.exec(text)?.[0]
    if (path !== undefined) throw new Error(`a report has a path of its machine: ${path.trim()}`)
    return gpuSection(JSON.parse(text))
  })
  return `${document.slice(0, start)}${BEGIN}\n\n${sections.join('\n')}\n${document.slice(end)}`
}
