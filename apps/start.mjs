// `npm start`: installs when needed, builds when a source is newer than the last build, runs the whole newsroom.
// `npm run start:dev` does the same and starts again whenever a source changes.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { build, install, program, root } from './prepare.mjs'

install()
build()
const main = join(root, 'dist/apps/server/src/main.js')
if (process.argv.includes('--watch')) {
  const compiler = program('@swc/cli', 'bin/swc.js')
  const children = [
    spawn(process.execPath, [compiler, 'apps', 'libs', '-d', 'dist', '-q', '--watch'], { cwd: root, stdio: 'inherit' }),
    spawn(process.execPath, ['--watch', '--watch-preserve-output', '--enable-source-maps', main], {
      cwd: root,
      stdio: 'inherit',
    }),
  ]
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => children.forEach(child => child.kill(signal)))
} else {
  // In this very process: signals, exit codes and process lists are those of the server itself.
  const { createRequire } = await import('node:module')
  process.argv = [process.execPath, main, ...process.argv.slice(2)]
  createRequire(import.meta.url)(main)
}
