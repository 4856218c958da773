// What every command of package.json stands on: the packages are installed and dist/ is newer than its sources.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const stamp = join(dist, '.built')

/** Runs a program of ours with inherited output; ends this process with its exit code when it fails. */
export const run = (command, args, options = {}) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** Path of a package's program: no shell, no npx, the same on every platform. */
export const program = (pkg, file) => join(root, 'node_modules', pkg, file)

/** Installs what the lock file names when node_modules is absent, and says so. */
export const install = () => {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Stet needs Node 20.19 or later; this is ${process.versions.node}.`)
    process.exit(1)
  }
  if (existsSync(join(root, 'node_modules', '.package-lock.json'))) return
  console.error('node_modules is absent: running npm ci first (about a minute).')
  run('npm', ['ci', '--no-audit', '--no-fund'], { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
}

const newest = folder => {
  let latest = statSync(folder).mtimeMs
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const time = entry.isDirectory() ? newest(path) : statSync(path).mtimeMs
    if (time > latest) latest = time
  }
  return latest
}

/** Compiles apps, libs and test into dist/ when a source is newer than the last build. Half a second with swc. */
export const build = ({ force = false } = {}) => {
  const sources = ['apps', 'libs', 'test'].map(name => join(root, name))
  const changed = Math.max(...sources.map(newest), statSync(join(root, '.swcrc')).mtimeMs)
  if (!force && existsSync(stamp) && statSync(stamp).mtimeMs > changed) return
  for (const name of ['apps', 'libs', 'test']) rmSync(join(dist, name), { recursive: true, force: true })
  const started = new Date()
  run(process.execPath, [program('@swc/cli', 'bin/swc.js'), 'apps', 'libs', 'test', '-d', 'dist', '-q'])
  mkdirSync(dist, { recursive: true })
  writeFileSync(stamp, `${started.toISOString()}\n`)
}
