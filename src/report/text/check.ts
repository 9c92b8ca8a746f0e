import { escapeAll } from '../../base/escape.js'
import type { CheckReport } from '../../api/check/report.js'
import type { FileStatus } from '../../api/open/manifest-files.js'
import { table } from '../table.js'

const WORDS: Readonly<Record<FileStatus, string>> = {
  ok: 'ok',
  missing: 'MISSING',
  size: 'DIFFERS in size',
  sha256: 'DIFFERS in SHA-256',
  unhashed: 'there, without a hash',
}

/** Text of `check`. */
export function checkText(report: CheckReport, width: number): string {
  const { ok, directory, files, unlisted, notes } = escapeAll(report)
  const rows = [
    ...files.map(({ name, artefact, status }) => [name, artefact ?? '', WORDS[status]]),
    ...unlisted.map(({ name, isModel }) => [name, '', isModel ? 'NOT LISTED, and would be loaded' : 'not listed']),
  ]
  const verdict = ok ? 'is as it was converted' : 'is NOT as it was converted'
  return [
    table(rows, { head: ['file', 'artefact', ''], width }),
    '',
    `${directory} ${verdict}: ${files.length} files of albertkit.json`,
    ...notes.map((note) => `note: ${note}`),
  ].join('\n')
}
