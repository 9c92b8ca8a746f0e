// Builds dist/ when npm or pnpm install albertkit from its repository. What has been built stays as it is, and an
// install without the tools of the build (`--omit=dev`) goes on without. The package has this file too, because
// `oclif pack tarballs` installs in it as in a repository.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const has = (name) => {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

const built = existsSync(new URL('../dist/index.js', import.meta.url))
if (!built && ['typescript', 'esbuild', '@oclif/core'].every(has))
  execFileSync(process.execPath, [fileURLToPath(new URL('build.js', import.meta.url))], { stdio: 'inherit' })
