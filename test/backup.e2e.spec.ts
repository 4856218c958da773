// Backups of a newsroom under load: what was acknowledged before is in the copy, equal byte for byte; one that is killed
// never passes for a backup.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { Client } from './support/client'
import { history } from './support/history'
import { type Load, startLoad } from './support/load'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'

const env = { TRUST_PROXY: 'on', SITE_URL: 'https://gazette.example', EVENTSTORE_URL: '', MONGODB_URL: '' }
const program = join(__dirname, '../apps/cli/bin/stet.cjs')

let folder: string
let newsroom: Newsroom
let load: Load
const opened: Newsroom[] = []

const open = async (dataDir?: string): Promise<Newsroom> => {
  const started = await startNewsroom({ env, ...(dataDir === undefined ? {} : { dataDir }) })
  opened.push(started)
  return started
}

beforeAll(async () => {
  newsroom = await open()
})
afterAll(async () => {
  for (const one of opened) await one.stop()
  await newsroom?.dispose()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stet-backup-'))
  load = startLoad(newsroom, { editors: 3, readers: 3 })
})
afterEach(async () => {
  await load.finish()
  await rm(folder, { recursive: true, force: true })
})

const stet = (dataDir: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** What a command wrote; it must succeed. */
const output = async (child: ChildProcess): Promise<string> => {
  let out = ''
  let err = ''
  child.stdout!.on('data', text => (out += String(text)))
  child.stderr!.on('data', text => (err += String(text)))
  const [code] = (await once(child, 'close')) as [number | null]
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out
}

interface Shown {
  readonly projections: readonly { readonly stage: string; readonly position: string | null }[]
}

it('taken under load it has everything that was acknowledged before, and no read model ahead of its log', async () => {
  const client = new Client(newsroom)
  const ids: string[] = []
  for (let n = 0; n < 12; n++) {
    const { id, position } = await client.publish(`Kept story number ${n}`, { tags: ['Kept'] })
    ids.push(id)
    await client.get(`/reader/v1/articles/${id}?position=${position}`)
  }
  const pageOf = async (at: Newsroom, id: string) => {
    const response = await fetch(`${at.url}/reader/v1/articles/${id}?include=`)
    return { status: response.status, etag: response.headers.get('etag'), body: await response.text() }
  }
  const pages = await Promise.all(ids.map(id => pageOf(newsroom, id)))
  const before = await history(newsroom)

  // A relative path is the caller's.
  const said = await output(stet(newsroom.dataDir, 'backup', 'copies/monday'))
  const target = join(folder, 'copies', 'monday')
  expect(await readdir(join(folder, 'copies'))).toEqual(['monday'])
  await load.finish()
  const after = await history(newsroom)

  const [, position] = /events up to position (\d+),/.exec(said)!
  const { projections } = JSON.parse(await output(stet(target, 'projections', '--json'))) as Shown
  const standing = projections.flatMap(({ stage, position }) =>
    stage === 'live' && position !== null ? [position] : [],
  )
  expect(standing.length).toBeGreaterThan(3)
  for (const one of standing) expect(BigInt(one)).toBeLessThanOrEqual(BigInt(position!))

  const restored = await open(target)
  const kept = await history(restored)
  expect(kept.slice(0, before.length)).toEqual(before)
  expect(kept).toEqual(after.slice(0, kept.length))
  expect(kept.at(-1)!.position).toBe(position)
  expect(await Promise.all(ids.map(id => pageOf(restored, id)))).toEqual(pages)
  for (const { status, body } of pages) {
    expect(status).toBe(200)
    expect(body).toContain('Kept story')
  }

  // A token of the newsroom it was taken of is good there.
  const token = await newsroom.token('editor')
  const fresh = await new Client(restored).publish('Written after the restore', {}, { token })
  await eventually('the restored newsroom goes on', async () => (await pageOf(restored, fresh.id)).status === 200)
}, 180_000)

it('killed with -9 at any instant it never passes for a backup, and the next one is whole', async () => {
  const target = join(folder, 'copy')
  const copying = ['copy.partial', 'copy.partial/copy/documents/data.mdb', 'copy.partial/copy/events/data.mdb']
  let half = 0
  for (const [n, sign] of [...copying, ...copying, ...copying].entries()) {
    const child = stet(newsroom.dataDir, 'backup', target)
    const ended = once(child, 'exit')
    while (!existsSync(join(folder, sign)) && child.exitCode === null && !existsSync(target)) await setImmediate()
    // Some turns later, so that all of its steps are hit.
    for (let turn = 0; turn < n * 40 && !existsSync(target); turn++) await setImmediate()
    child.kill('SIGKILL')
    await ended
    if (existsSync(join(folder, 'copy.partial', 'copy'))) half++
    // Too late: it was whole before it was killed.
    if (existsSync(target)) {
      expect((await readdir(target)).sort()).toEqual(['documents', 'events', 'keys'])
      await rm(target, { recursive: true })
    }
  }
  expect(half).toBeGreaterThan(3)
  const said = await output(stet(newsroom.dataDir, 'backup', target))
  expect(said).toContain('read again and found whole')
  expect(await readdir(folder)).toEqual(['copy'])
  const restored = await open(target)
  const kept = await history(restored)
  expect(kept.length).toBeGreaterThan(10)
  expect((await history(newsroom)).slice(0, kept.length)).toEqual(kept)
}, 180_000)

it('whose terminal is closed ends in order: it says so and leaves nothing', async () => {
  const child = stet(newsroom.dataDir, 'backup', join(folder, 'copy'))
  let said = ''
  child.stderr!.on('data', text => (said += String(text)))
  const ended = once(child, 'close')
  while (!existsSync(join(folder, 'copy.partial/copy/documents/data.mdb'))) await setImmediate()
  child.kill('SIGHUP')
  expect(await ended).toEqual([1, null])
  expect(said).toContain('the backup was interrupted; nothing of it was kept')
  expect(await readdir(folder)).toEqual([])
})
