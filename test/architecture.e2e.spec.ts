// The rooms import one way: .dependency-cruiser.cjs has the rules, this runs them and shows that each of them bites.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

const root = join(__dirname, '..')
const run = promisify(execFile)

interface Report {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string
      readonly to: string
      readonly rule: { readonly name: string }
    }[]
    readonly totalCruised: number
  }
}

const cruise = async (folder: string): Promise<Report['summary']> => {
  const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [program, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'apps', 'libs']
  const { stdout } = await run(process.execPath, args, { cwd: folder, maxBuffer: 256 * 2 ** 20 }).catch(
    // A run that found violations exits with their number and has printed its report all the same.
    (error: { stdout: string }) => error,
  )
  return (JSON.parse(stdout) as Report).summary
}

describe('imports', () => {
  it('go one way only, without a cycle', async () => {
    const { violations, totalCruised } = await cruise(root)
    expect(violations.map(({ from, to, rule }) => `${rule.name}: ${from} → ${to}`)).toEqual([])
    expect(totalCruised).toBeGreaterThan(100)
  })
})

describe('the rules', () => {
  let folder = ''
  const plant = async (path: string, text: string) => {
    await mkdir(join(folder, dirname(path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stet-rules-'))
    await Promise.all(
      ['.dependency-cruiser.cjs', 'tsconfig.json'].map(file => cp(join(root, file), join(folder, file))),
    )
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    await plant('apps/server/src/main.ts', 'export const app = 1\n')
    for (const room of ['api', 'embedded', 'eventsourcing', 'newsroom', 'platform'])
      await plant(`libs/${room}/src/index.ts`, `export const room = '${room}'\n`)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const breaches: readonly [rule: string, path: string, text: string][] = [
    ['engine-knows-no-newsroom', 'libs/eventsourcing/src/a.ts', "export { room } from '@stet/newsroom'\n"],
    ['newsroom-goes-down-only', 'libs/newsroom/src/a.ts', "export { room } from '@stet/api'\n"],
    ['newsroom-is-pure', 'libs/newsroom/src/b.ts', "export { MongoClient } from 'mongodb'\n"],
    ['newsroom-is-pure', 'libs/newsroom/src/c.ts', "export { readFile } from 'node:fs'\n"],
    ['api-goes-down-only', 'libs/api/src/a.ts', "export { app } from '../../../apps/server/src/main'\n"],
    ['embedded-is-imported-by-server-cli-and-tests', 'libs/api/src/f.ts', "export { room } from '@stet/embedded'\n"],
    ['platform-stands-beside', 'libs/platform/src/a.ts', "export { room } from '@stet/newsroom'\n"],
    [
      'embedded-is-imported-by-server-cli-and-tests',
      'libs/platform/src/f.ts',
      "export { room } from '@stet/embedded'\n",
    ],
    ['embedded-imports-no-room', 'libs/embedded/src/a.ts', "export { room } from '@stet/eventsourcing'\n"],
    [
      'embedded-is-imported-by-server-cli-and-tests',
      'apps/projector/src/a.ts',
      "export { room } from '@stet/embedded'\n",
    ],
    ['event-store-client-in-one-folder', 'libs/api/src/b.ts', "export { START } from '@eventstore/db-client'\n"],
    ['no-orphan-test-import', 'libs/api/src/d.ts', "export * from './e.unit.spec'\n"],
  ]

  it.each(breaches)('%s is broken by %s', async (rule, path, text) => {
    await plant('libs/api/src/e.unit.spec.ts', 'export const e = 1\n')
    await plant(path, text)
    const { violations } = await cruise(folder)
    await rm(join(folder, path))
    expect(violations.filter(({ from }) => from === path).map(violation => violation.rule.name)).toContain(rule)
  })

  it('no-cycle is broken by two files that import each other', async () => {
    await plant('libs/api/src/x.ts', "import { y } from './y'\nexport const x = (): number => y()\n")
    await plant('libs/api/src/y.ts', "import { x } from './x'\nexport const y = (): number => x()\n")
    const { violations } = await cruise(folder)
    expect(violations.map(violation => violation.rule.name)).toContain('no-cycle')
  })

  it('stores-know-nothing-of-each-other is broken by an import between them', async () => {
    await plant('libs/embedded/src/document-store/index.ts', 'export const d = 1\n')
    await plant('libs/embedded/src/event-store/index.ts', "export { d } from '../document-store'\n")
    const { violations } = await cruise(folder)
    expect(violations.map(violation => violation.rule.name)).toContain('stores-know-nothing-of-each-other')
  })
})
