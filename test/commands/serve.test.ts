import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { albertkit, BIN, userEnv } from '../helpers/run.js'
import { ZH_NEWS } from '../helpers/shared.js'

/** Starts `serve`, asks its page for a file, ends it with Ctrl-C, and gives what it printed. */
async function served(args: readonly string[], file: string) {
  const child = spawn(process.execPath, [BIN, 'serve', ...args], { env: userEnv() })
  const [printed, talk]: string[][] = [[], []]
  child.stdout.setEncoding('utf8').on('data', (text: string) => printed!.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => talk!.push(text))
  try {
    while (!printed!.join('').includes('\n')) await once(child.stdout, 'data')
    const [line = ''] = printed!.join('').split('\n')
    const url = line.startsWith('{') ? (JSON.parse(line) as { url: string }).url : line
    const answer = await fetch(url + file)
    const text = await answer.text()
    child.kill('SIGINT')
    const [code] = (await once(child, 'close')) as [number]
    return { code, stdout: printed!.join(''), stderr: talk!.join(''), status: answer.status, text }
  } finally {
    child.kill('SIGKILL')
  }
}

it('serves the page of a folder, and prints one document with --json, however it ends', async () => {
  const { code, stdout, status, text } = await served([ZH_NEWS, '--json'], 'place.json')
  expect(status).toBe(200)
  const { name, files } = JSON.parse(text) as { name: string; files: Record<string, number> }
  expect(name).toBe('zh-news')
  expect(files['vocab.txt']).toBeGreaterThan(1000)
  expect(Object.keys(JSON.parse(stdout) as object)).toEqual(['url'])
  expect(code).toBe(130)
})

it('serves the workbench without a folder', async () => {
  const { code, stdout, status, text, stderr } = await served([], '')
  expect([code, status]).toEqual([130, 200])
  expect(text).toContain('albertkit workbench')
  expect(stdout.trim()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[\w-]{24}\/$/)
  expect(stderr).toContain('press Ctrl-C to end')
})

it('refuses a folder that is not there, and both pages at once', async () => {
  expect(await albertkit(['serve', 'nothing-here'])).toMatchObject({ code: 2, stdout: '' })
  const both = await albertkit(['serve', ZH_NEWS, '--workbench'])
  expect(both).toMatchObject({ code: 2, stdout: '' })
  expect(both.stderr).toContain('the workbench has no folder')
})
