// `npm test`: every check there is, in the order in which they are cheapest to fail, and one closing line.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, install, program, root } from '../apps/prepare.mjs'

install()

const start = (file, ...args) => {
  const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = new Promise(resolve => child.on('close', code => resolve(code ?? 1)))
  return { child, ended }
}
const node = (...command) => start(...command).ended

/** Milliseconds that a suite may go on after its report: what holds it is a server that a failed test left running. */
const LEFT_RUNNING = 60_000

/** Exit code of a suite; 1 when it had to be ended. */
const run = async (report, ...command) => {
  const { child, ended } = start(...command)
  let reported = null
  const watch = setInterval(() => {
    if (reported === null && existsSync(report)) reported = Date.now()
    if (reported !== null && Date.now() - reported > LEFT_RUNNING) child.kill('SIGTERM')
  }, 1_000)
  const code = await ended
  clearInterval(watch)
  return code
}

let passed = 0
let failed = 0
const tally = (name, ok) => {
  if (ok) passed++
  else failed++
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name}`)
}

const checks = [
  ['types', program('typescript', 'bin/tsc'), '--noEmit', '-p', '.'],
  ['format', program('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
  ['lint', program('eslint', 'bin/eslint.js'), '--max-warnings', '0', '.'],
]
for (const [name, ...command] of checks) tally(name, (await node(...command)) === 0)

build({ force: true })

// What measures or kills processes runs alone; the rest shares the machine.
const suites = [
  ['unit', []],
  ['int', []],
  ['contract', []],
  ['e2e', ['--runInBand']],
]
mkdirSync(join(root, 'dist'), { recursive: true })
for (const [suite, options] of suites) {
  const report = join(root, 'dist', `jest-${suite}.json`)
  rmSync(report, { force: true })
  const code = await run(
    report,
    program('jest', 'bin/jest.js'),
    '--selectProjects',
    suite,
    '--json',
    '--outputFile',
    report,
    ...options,
  )
  let results = null
  try {
    results = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    // No report: the runner itself failed, which the exit code says.
  }
  passed += results?.numPassedTests ?? 0
  const broken = (results?.numFailedTests ?? 0) + (results?.numRuntimeErrorTestSuites ?? 0)
  failed += broken
  if (!results || results.numTotalTests === 0 || (code !== 0 && broken === 0)) tally(`suite ${suite}`, false)
}

console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
