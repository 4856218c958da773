// Where the compiled program of the child process lies, also when the supervisor itself runs from TypeScript (in tests).
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type * as Swc from '@swc/core'

/**
 * The child's file. Compiled code finds it beside itself. TypeScript under a test runner cannot be forked, so there this
 * room is compiled on demand into dist/embedded-child, file by file and only what is not the output of the same text yet.
 */
export function childEntry(): string {
  if (__filename.endsWith('.js')) return join(__dirname, 'child.js')
  return join(compiledRoom(), 'supervisor', 'child.js')
}

/** The folder with this room's JavaScript, up to date: for tests that start parts of it in processes of their own. */
export function compiledRoom(): string {
  const room = resolve(__dirname, '..')
  const output = resolve(room, '../../../dist/embedded-child')
  const sources = readdirSync(room, { recursive: true, encoding: 'utf8' }).filter(file => /(?<!\.spec)\.ts$/.test(file))
  for (const file of sources) compile(join(room, file), join(output, file.replace(/\.ts$/, '.js')))
  return output
}

function compile(source: string, target: string): void {
  const text = readFileSync(source, 'utf8')
  // Times of files say nothing after a checkout, so the output names the text that it was made of.
  const mark = `// ${createHash('sha256').update(text).digest('hex')}\n`
  if (existsSync(target) && readFileSync(target, 'utf8').startsWith(mark)) return
  // Only tests come here, and the compiler is there for them only.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const swc = require('@swc/core') as typeof Swc
  const { code } = swc.transformSync(text, {
    filename: source,
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022', keepClassNames: true },
    module: { type: 'commonjs' },
  })
  mkdirSync(dirname(target), { recursive: true })
  // Test files run at the same time: each writes its own file and moves it into place whole.
  const temporary = `${target}.${process.pid}`
  writeFileSync(temporary, mark + code)
  renameSync(temporary, target)
}
