import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import type { BuildReport } from '../../api/build/report.js'
import { refuseExisting, refuseSame, writeWhole } from '../../files/atomic-file.js'
import { buildJunit, JUNIT_MARK } from './junit.js'
import { buildMarkdown, MARKDOWN_MARK } from './markdown.js'

/** Paths of the files that a build reports to. */
export interface ReportFiles {
  readonly junit?: string | undefined
  readonly markdown?: string | undefined
  /** Replace files that no build wrote. */
  readonly force: boolean
}

const KINDS = [
  { name: 'junit', mark: JUNIT_MARK, text: buildJunit },
  { name: 'markdown', mark: MARKDOWN_MARK, text: buildMarkdown },
] as const

/** The first bytes of a file, as text. */
function beginning(path: string, bytes: number): string {
  const descriptor = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(bytes)
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, bytes, 0))
  } finally {
    closeSync(descriptor)
  }
}

/** The reports that are asked for; each run of a pipeline replaces those of the last one. */
const asked = (files: ReportFiles) =>
  KINDS.flatMap((kind) => {
    const path = files[kind.name]
    return path === undefined ? [] : [{ ...kind, path }]
  })

/**
 * Checks the paths before anything is built.
 * @throws AlbertkitError `output` if a file exists, is not empty, and is no report of an earlier build
 */
export function refuseForeign(files: ReportFiles): void {
  refuseSame({ 'the JUnit file': files.junit, 'the Markdown file': files.markdown })
  for (const { path, mark } of asked(files)) {
    refuseExisting(path, true)
    if (!existsSync(path)) continue
    const found = beginning(path, Buffer.byteLength(mark))
    refuseExisting(path, files.force || found === '' || found === mark)
  }
}

/** Writes the reports. @returns their paths @throws AlbertkitError `output` */
export function writeBuildReports(report: BuildReport, files: ReportFiles): string[] {
  return asked(files).map(({ path, text }) => {
    writeWhole(path, text(report), true)
    return path
  })
}
