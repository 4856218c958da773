// Redacted and erased under load, then scavenged: no byte of it is left in a log, a read model, a file, an export or a backup
// made later; nothing that others did meanwhile is lost, and a rebuild holds what the read models hold.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { findRunningStores } from '@stet/embedded'
import { connectEventLog } from '@stet/eventsourcing'
import { type Answer, Client, type Outcome } from './support/client'
import { history, tally } from './support/history'
import { type Load, startLoad } from './support/load'
import { eventually, type Newsroom, startNewsroom } from './support/newsroom'
import { openReadModels } from './support/read-models'

const env = { TRUST_PROXY: 'on', SITE_URL: 'https://gazette.example', EVENTSTORE_URL: '', MONGODB_URL: '' }
const program = join(__dirname, '../apps/cli/bin/stet.cjs')
/** Found in no other word, whatever becomes of its letters' case; no longer than what related articles keep of a word. */
const NAME = 'zqxjk'
const word = { authority: 'District Court, 12 O 34/26', reason: 'A person must not be named.' }

interface Erasure extends Outcome {
  readonly done: boolean
  readonly preview: {
    readonly confirmation: string
    readonly events: number
    readonly deskEvents: number
    readonly remains: Record<string, unknown> | null
  } | null
}

let folder: string
let newsroom: Newsroom
let client: Client
let load: Load

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stet-erase-'))
  newsroom = await startNewsroom({ env })
  client = new Client(newsroom)
  load = startLoad(newsroom, { editors: 2, readers: 2 })
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
  await rm(folder, { recursive: true, force: true })
})

const stet = async (...args: string[]): Promise<string> => {
  const child: ChildProcess = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, DATA_DIR: newsroom.dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout!.on('data', text => (out += String(text)))
  child.stderr!.on('data', text => (err += String(text)))
  const [code] = (await once(child, 'close')) as [number | null]
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out
}

/** Files under a folder that hold the name, in whatever letters. */
const filesWith = async (directory: string, name = NAME): Promise<string[]> => {
  const found: string[] = []
  for (const file of await readdir(directory, { recursive: true })) {
    const path = join(directory, file)
    if (!(await stat(path)).isFile()) continue
    // One byte per character: letters of ASCII are found whatever stands around them.
    if ((await readFile(path)).toString('latin1').toLowerCase().includes(name)) found.push(file)
  }
  return found.sort()
}

const named = {
  summary: `What ${NAME} said.`,
  bodyHtml: `<p>The ferry is late, says ${NAME} on the quay. The harbour master waits for the ice.</p>`,
  keyPoints: [`${NAME} is late`],
  tags: ['Harbour', NAME],
  authors: [{ name: NAME, role: 'writer' }],
  image: { url: `https://images.example/${NAME}.jpg`, caption: NAME },
  seo: { title: NAME },
  canonicalUrl: `https://elsewhere.example/${NAME}`,
}
const silent = {
  headline: 'Ferry late',
  summary: null,
  bodyHtml: '<p>The ferry is late, says somebody on the quay. The harbour master waits for the ice.</p>',
  keyPoints: null,
  tags: ['Harbour'],
  authors: [{ name: 'Staff' }],
  image: null,
  seo: null,
  canonicalUrl: null,
  source: { outlet: 'Harbour Post', contributors: [] },
}

/** An article with the name in everything that its life leaves behind. */
const lifeOf = async (slug: string): Promise<string> => {
  const { id } = await client.command('/articles', { headline: `Ferry of ${NAME}`, section: 'News', ...named, slug })
  const call = (path: string, body: object = {}) =>
    client.command(`/articles/${id}/${path}`, body, { headers: { 'if-match': '*' } })
  await call('source', { outlet: `${NAME} News`, contributors: [NAME], usageTerms: NAME })
  await call('submit', { note: `${NAME} agrees` })
  await call('publish')
  await client.command('/lists/editors-choice/feature', { articleId: id })
  await call('correct', { note: `${NAME} was early`, headline: `Ferry of ${NAME} late` })
  const at = new Date(Date.now() + 3_600_000).toISOString()
  await call('schedule', { change: 'correct', at, note: `Again ${NAME}` })
  await call('unpublish', { reason: NAME })
  await call('publish')
  const viewed = await client.post(
    '/reader/v1/views',
    { articleId: id, viewId: randomUUID() },
    { headers: { 'user-agent': BROWSER, 'x-forwarded-for': `192.0.2.${slug.length}` } },
  )
  expect(viewed.status).toBe(204)
  return id
}
const BROWSER = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15'

const ask = (id: string, what: 'redact' | 'erase', body: object, role: 'chief' | 'editor' = 'chief') =>
  client.post<Erasure>(`/editorial/v1/articles/${id}/${what}`, { ...word, ...body }, { role })

/** Asks twice, and sees that the first time did nothing. */
const confirm = async (id: string, what: 'redact' | 'erase', body: object): Promise<Answer<Erasure>> => {
  const before = (await history(newsroom)).filter(({ stream }) => stream.endsWith(id)).length
  const asked = await ask(id, what, body)
  expect(asked).toMatchObject({ status: 200, body: { id, done: false } })
  expect((await history(newsroom)).filter(({ stream }) => stream.endsWith(id))).toHaveLength(before)
  const { confirmation } = asked.body.preview!
  const other = await ask(id, what, { ...body, reason: 'Another one.', confirmation })
  expect(other).toMatchObject({ status: 409, body: { rule: 'confirmation-mismatch' } })
  const done = await ask(id, what, { ...body, confirmation })
  expect(done).toMatchObject({ status: 200, body: { id, done: true, preview: null } })
  // The same once more is the same command.
  const again = await ask(id, what, { ...body, confirmation })
  expect(again).toMatchObject({ status: 200, body: done.body })
  expect(again.headers.get('idempotent-replayed')).toBe('true')
  return asked
}

describe('what is erased', () => {
  let redacted: string
  let erased: string
  let last: string

  it('is everywhere before', async () => {
    redacted = await lifeOf('ferry-late')
    erased = await lifeOf('another-ferry')
    const urls = (await findRunningStores(newsroom.dataDir))!
    const log = connectEventLog({ url: urls.eventStoreUrl })
    for (const id of [redacted, erased]) {
      const commandId = randomUUID()
      const actor = {
        $correlationId: commandId,
        $causationId: commandId,
        commandId,
        fingerprint: '',
        actor: 'somebody',
      }
      const metadata = { ...actor, at: new Date().toISOString() }
      const data = { noteId: randomUUID(), text: `${NAME} called.` }
      await log.append(`desk-${id}`, -1, [{ id: randomUUID(), type: 'DeskNoteAdded', data, metadata }])
    }
    await log.close()
    expect(await filesWith(newsroom.dataDir)).toEqual(['documents/data.mdb', 'events/data.mdb'])
  }, 60_000)

  it('goes when a chief has asked twice, and what may remain stays live', async () => {
    const first = await confirm(redacted, 'redact', { ...silent, desk: true })
    expect(first.body.preview).toMatchObject({
      events: 9,
      deskEvents: 1,
      remains: { stage: 'live', working: { headline: 'Ferry late' }, schedules: [] },
    })
    expect(JSON.stringify(first.body).toLowerCase()).not.toContain(NAME)
    const second = await confirm(erased, 'erase', {})
    expect(second.body.preview).toMatchObject({ events: 9, deskEvents: 1, remains: null })
    last = (await client.get<string>(`/analyst/v1/events?stream=desk-${erased}`)).body
    expect(last).toContain('"DeskErased"')
    const { position } = JSON.parse(last.trim().split('\n').at(-1)!) as { position: string }

    const page = await client.get(`/reader/v1/articles/ferry-late?position=${position}`)
    expect(page).toMatchObject({
      status: 200,
      body: { article: { headline: 'Ferry late', corrections: [], version: 1 } },
    })
    expect(JSON.stringify(page.body).toLowerCase()).not.toContain(NAME)
    expect((await client.get(`/reader/v1/articles/another-ferry?position=${position}`)).status).toBe(410)
    expect((await client.get(`/editorial/v1/articles/${erased}`)).status).toBe(410)
    expect((await ask(erased, 'erase', {})).status).toBe(410)
    const list = await client.get<{ items: { id: string }[] }>('/reader/v1/lists/editors-choice?limit=100')
    const listed = list.body.items.map(({ id }) => id)
    expect(listed).toContain(redacted)
    expect(listed).not.toContain(erased)
    const back = await client.post(
      `/editorial/v1/articles/${erased}/revise`,
      { headline: NAME },
      { headers: { 'if-match': '*' } },
    )
    expect(back).toMatchObject({ status: 409, body: { rule: 'erased' } })
  }, 60_000)

  it('leaves no byte behind after a scavenge under load', async () => {
    const said = await stet('scavenge')
    expect(said).toContain('nothing of what was erased is left in its files')
    expect(await filesWith(newsroom.dataDir)).toEqual([])

    await stet('backup', 'later')
    expect(await filesWith(join(folder, 'later'))).toEqual([])
    expect(await stet('replay')).not.toMatch(new RegExp(NAME, 'i'))

    const acknowledged = await load.finish()
    expect(acknowledged.commands.size).toBeGreaterThan(0)
    const events = await history(newsroom)
    const counted = tally(events)
    for (const [id, commands] of acknowledged.commands) expect([id, counted.commands.get(id)]).toEqual([id, commands])
    for (const [id, views] of acknowledged.views) expect([id, counted.views.get(id)]).toEqual([id, views])

    const left = (id: string) => events.filter(({ stream }) => stream === `article-${id}` || stream === `desk-${id}`)
    expect(left(redacted).map(({ type, revision }) => [type, revision])).toEqual([
      ['ArticleRedacted', 9],
      ['DeskErased', 1],
    ])
    expect(left(erased).map(({ type, revision, data }) => [type, revision, data])).toEqual([
      ['ArticleErased', 9, { ...word, scheduleIds: [expect.any(String)], slugs: ['another-ferry'] }],
      ['DeskErased', 1, { ...word, final: true }],
    ])
  }, 180_000)

  it('is not in a rebuild either, which holds the same bytes', async () => {
    const digests = async () => {
      const { mongodbUrl } = (await findRunningStores(newsroom.dataDir))!
      const models = await openReadModels({ MONGODB_URL: mongodbUrl })
      try {
        const live = await models.live()
        const entries = live.map(async ({ _id, name }) => [name, await models.digest(_id)] as const)
        return Object.fromEntries(await Promise.all(entries))
      } finally {
        await models.close()
      }
    }
    const standing = async () =>
      JSON.parse(await stet('projections', '--json')) as {
        projections: { name: string; parked: number; lag: { events: number } | null }[]
      }
    await eventually(
      'the read models have come to rest',
      async () => {
        expect((await standing()).projections.filter(({ lag }) => lag?.events !== 0)).toEqual([])
        return true
      },
      60_000,
    )
    // A store that was away for a while has refused nothing.
    expect((await standing()).projections.filter(({ parked }) => parked > 0)).toEqual([])
    const before = await digests()
    // What is related depends on what was there when an article appeared: on an erased one too, but for its words. An entry
    // of the history tells at which desk the article was, also when that was erased later.
    const rebuilt = Object.keys(before).filter(name => name !== 'related' && name !== 'history')
    expect(rebuilt.length).toBeGreaterThan(4)
    for (const name of rebuilt) await stet('rebuild', name)
    expect(await digests()).toEqual(before)

    // Nobody has to wait for old generations before the next erasure.
    newsroom = (await newsroom.stop(), await newsroom.restart())
    client = new Client(newsroom)
    expect((await client.get('/reader/v1/articles/ferry-late')).status).toBe(200)
    expect((await client.get('/reader/v1/articles/another-ferry')).status).toBe(410)
    expect(await filesWith(newsroom.dataDir)).toEqual([])
  }, 180_000)
})
