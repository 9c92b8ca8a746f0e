import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { environment } from '../../base/errors.js'

/** Names of executables on the search path, in order of preference. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge']

/** Paths at which installers put browsers. */
const PLACES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ],
  win32: ['ProgramFiles', 'ProgramFiles(x86)', 'LocalAppData'].flatMap((variable) => {
    const root = process.env[variable]
    if (root === undefined) return []
    return [join(root, 'Google/Chrome/Application/chrome.exe'), join(root, 'Microsoft/Edge/Application/msedge.exe')]
  }),
}

const runs = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Finds a Chrome or Chromium: `given`, CHROME_PATH, or the first one on the search path or in the usual places.
 * @throws AlbertkitError `environment` if there is none
 */
export function findBrowser(given = process.env.CHROME_PATH): string {
  const hint = 'install Chromium or Chrome, or name its executable in `browser` or CHROME_PATH'
  if (given !== undefined) {
    if (runs(given)) return given
    throw environment('the browser is not an executable file', { code: 'device-missing', file: given, hint })
  }
  const path = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '')
  const found = [
    ...path.flatMap((directory) => NAMES.map((name) => join(directory, name))),
    ...(PLACES[process.platform] ?? []),
  ].find(runs)
  if (found === undefined) throw environment('there is no Chrome or Chromium', { code: 'device-missing', hint })
  return found
}
