import { join } from 'node:path'
import type { GpuReport } from '../api/gpu-report/report.js'
import { toJsonText } from '../base/json-text.js'
import { refuseExisting, writeWhole } from '../files/atomic-file.js'
import { gpuMarkdown } from './text/gpu.js'

const [JSON_FILE, TEXT_FILE] = ['gpu-report.json', 'gpu-report.md']

/**
 * Opens the two files of a report in a directory; the result writes them anew, whole each time.
 * @throws AlbertkitError `usage` if one exists and `force` is not set; the result `output`
 */
export function gpuReportFiles(directory: string, force: boolean): (report: GpuReport) => void {
  const [json, text] = [join(directory, JSON_FILE), join(directory, TEXT_FILE)]
  for (const file of [json, text]) refuseExisting(file, force)
  return (report) => {
    writeWhole(json, `${toJsonText(report)}\n`, true)
    writeWhole(text, gpuMarkdown(report), true)
  }
}
