// The command line on real stores: alone it starts them itself, beside a server it uses those that run.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { type INestApplicationContext } from '@nestjs/common'
import { type EmbeddedStores, startEmbeddedStores } from '@stet/embedded'
import { type Upcaster } from '@stet/eventsourcing'
import { upcasters, wireArticleId } from '@stet/newsroom'
import { localActor } from '@stet/platform'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandFactory } from 'nest-commander'
import { CliModule } from './cli.module'
import { DEMO_VIEWS } from './demo/views'
import { failureLine } from './output'
import { Stores } from './stores'

const environment = { ...process.env }
let folder = ''
let dataDir = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stet-cli-'))
  dataDir = join(folder, 'data')
  for (const name of ['EVENTSTORE_URL', 'MONGODB_URL', 'STREAM_PREFIX', 'NODE_ENV']) delete process.env[name]
  process.env.DATA_DIR = dataDir
})
afterAll(async () => {
  process.env = environment
  await rm(folder, { recursive: true, force: true })
})

/** What a run of `stet` wrote, and how it ended. */
interface Run {
  readonly out: string
  readonly err: string
  readonly failed: boolean
  readonly standalone: boolean
}

const argv = process.argv
let written: { out: string; err: string }
beforeEach(() => {
  written = { out: '', err: '' }
  jest.spyOn(process.stdout, 'write').mockImplementation(text => ((written.out += String(text)), true))
  jest.spyOn(process.stderr, 'write').mockImplementation(text => ((written.err += String(text)), true))
})
afterEach(() => {
  jest.restoreAllMocks()
  process.argv = argv
  process.exitCode = undefined
})

const stet = async (...args: string[]): Promise<Run> => {
  written = { out: '', err: '' }
  process.exitCode = undefined
  process.argv = ['node', 'stet', ...args]
  let app: INestApplicationContext | null = null
  try {
    app = await CommandFactory.runWithoutClosing(CliModule, {
      logger: false,
      serviceErrorHandler: error => {
        written.err += failureLine(error)
        process.exitCode = 1
      },
    })
    return { ...written, failed: Boolean(process.exitCode), standalone: app.get(Stores).standalone }
  } finally {
    await app?.close()
    process.exitCode = undefined
  }
}

const records = (out: string): Record<string, unknown>[] =>
  out
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Record<string, unknown>)

describe('without a server', () => {
  it('sets the demonstration up once', async () => {
    const first = await stet('demo')
    expect(first).toMatchObject({ failed: false, standalone: true, err: '' })
    expect(first.out).toMatch(
      /^Added 30 articles, 32 changes to lists and [1-9]\d{3,} views\.\nStart the server with npm start/,
    )
    const history = await stet('replay')
    const second = await stet('demo')
    expect(second.out).toContain('nothing was changed')
    expect((await stet('replay')).out).toBe(history.out)
  })

  it('replays what is asked for, as records of one shape', async () => {
    const all = records((await stet('replay')).out)
    expect(all[0]).toMatchObject({ stream: 'newsroom-founding', type: 'NewsroomFounded', revision: 0 })
    for (const record of all) {
      expect(Object.keys(record)).toEqual([
        'position',
        'stream',
        'revision',
        'id',
        'type',
        'schemaVersion',
        'time',
        'actor',
        'metadata',
        'data',
      ])
    }
    expect(all.filter(({ type }) => type === 'ArticlePublished')).toHaveLength(30)
    const views = records((await stet('replay', '--stream', DEMO_VIEWS)).out)
    expect(views).toEqual(all.filter(({ stream }) => stream === DEMO_VIEWS))
    const some = records((await stet('replay', '--type', 'ListCreated,ArticleFeatured', '--limit', '4')).out)
    expect(some).toEqual(all.filter(({ type }) => type === 'ListCreated' || type === 'ArticleFeatured').slice(0, 4))
    const from = String(some[1]?.position)
    const rest = records((await stet('replay', '--from', from, '--type', 'ArticleFeatured', '--limit', '1')).out)
    expect(rest).toEqual([some[2]])
  })

  it('reads older shapes as the newest', async () => {
    const up = (data: { label: string }) => ({ ...data, label: data.label.toUpperCase() })
    const list = upcasters as Upcaster[]
    list.push({ type: 'ListCreated', from: 1, up })
    try {
      const [created] = records((await stet('replay', '--type', 'ListCreated', '--limit', '1')).out)
      const { label } = created?.data as { label: string }
      expect(created).toMatchObject({ schemaVersion: 2 })
      expect(label).toBe(label.toUpperCase())
    } finally {
      list.pop()
    }
  })

  it('imports, updates, and reports what failed', async () => {
    const item = {
      uri: 'urn:example:cli',
      version: '1',
      headline: 'From the wire',
      body_text: 'One.\n\nTwo.',
      urgency: 3,
    }
    const section = { subject: [{ name: 'News', rel: 'section' }], infosource: [{ name: 'Wire', rel: 'publisher' }] }
    await writeFile(join(folder, 'items.ndjson'), [JSON.stringify({ ...item, ...section }), '{'].join('\n'))
    const first = await stet('import', join(folder, 'items.ndjson'), '--publish', '--notes')
    expect(first.out).toBe('2 items: 1 recorded, 0 unchanged, 0 held, 0 canceled, 1 failed\n')
    expect(first.err).toContain('items.ndjson:1: #/urgency is not kept')
    expect(first.err).toContain('items.ndjson:2: is no JSON')
    expect(first.failed).toBe(true)
    const stream = `article-${wireArticleId(item.uri)}`
    const types = async () => records((await stet('replay', '--stream', stream)).out).map(({ type }) => type)
    expect(await types()).toEqual(['WireItemReceived', 'ArticleDrafted', 'ArticleSourced', 'ArticlePublished'])

    const again = await stet('import', join(folder, 'items.ndjson'), '--publish')
    expect(again.out).toBe('2 items: 0 recorded, 1 unchanged, 0 held, 0 canceled, 1 failed\n')
    await writeFile(
      join(folder, 'next.json'),
      JSON.stringify({ ...item, ...section, version: '2', headline: 'Corrected' }),
    )
    const update = await stet('import', join(folder, 'next.json'), '--publish')
    expect(update).toMatchObject({ failed: false, out: expect.stringContaining('1 recorded') })
    expect((await types()).slice(4)).toEqual(['WireItemReceived', 'ArticleRevised', 'ArticlePublished'])
  })

  it('rebuilds a read model and shows where it stands', async () => {
    expect((await stet('projections')).out).toMatch(/^article-cards +1 +- +absent +newsroom +- +- +0$/m)
    const rebuilt = await stet('rebuild', 'article-cards')
    expect(rebuilt.err).toBe('')
    expect(rebuilt.out).toMatch(/^article-cards version 1, generation 2 is live at \d+: \d+ events, 0 parked\n$/)
    const { out } = await stet('projections', '--json')
    const { projections } = JSON.parse(out) as { projections: { name: string; stage: string; generation: number }[] }
    expect(projections.filter(({ stage }) => stage === 'live')).toMatchObject([
      { name: 'article-cards', generation: 2 },
    ])
    expect((await stet('projections')).out).toMatch(/^article-cards +1 +2 +live +newsroom +\d+ +\S.*\S +0$/m)
    expect(await stet('rebuild', 'nothing')).toMatchObject({
      failed: true,
      err: expect.stringContaining('no read model is called nothing'),
    })
  })
})

describe('a backup', () => {
  it('has the history and the key of the newsroom, and is said in one line', async () => {
    const history = (await stet('replay')).out
    const token = await stet('token', '--role', 'analyst', '--name', 'somebody')
    expect(token.failed).toBe(false)
    const target = join(folder, 'backup')
    const done = await stet('backup', target)
    expect(done).toMatchObject({ failed: false, err: '' })
    const { position } = records(history).at(-1)!
    expect(done.out).toMatch(
      /^\S+\/backup is a backup of \S+: \d+ events up to position \d+, \d+\.\d MiB, read again and found whole\n$/,
    )
    expect(done.out).toContain(`position ${String(position)},`)
    expect(await readFile(join(target, 'keys/signing.json'))).toEqual(
      await readFile(join(dataDir, 'keys/signing.json')),
    )
    process.env.DATA_DIR = target
    const restored = await stet('replay')
    process.env.DATA_DIR = dataDir
    expect(restored.out).toBe(history)

    const again = await stet('backup', target)
    expect(again).toMatchObject({ failed: true, out: '', err: expect.stringContaining('is not empty') })
  })
})

describe('beside a server', () => {
  let holder: EmbeddedStores
  beforeAll(async () => {
    holder = await startEmbeddedStores({ dataDir })
  })
  afterAll(() => holder.stop())

  it('uses its stores and leaves them running', async () => {
    const replayed = await stet('replay', '--limit', '3')
    expect(replayed).toMatchObject({ failed: false, standalone: false })
    expect(records(replayed.out)).toHaveLength(3)
    const demo = await stet('demo')
    expect(demo.out).toContain('nothing was changed.\nLook at:')
    expect((await stet('replay', '--limit', '3')).out).toBe(replayed.out)
  })
})

describe('on stores that are given', () => {
  let given: EmbeddedStores
  beforeAll(async () => {
    given = await startEmbeddedStores({ dataDir: join(folder, 'elsewhere') })
    process.env.DATA_DIR = join(folder, 'unused')
    process.env.EVENTSTORE_URL = given.eventStoreUrl
    process.env.MONGODB_URL = given.mongodbUrl
    process.env.STREAM_PREFIX = 'one.'
  })
  afterAll(async () => {
    for (const name of ['EVENTSTORE_URL', 'MONGODB_URL', 'STREAM_PREFIX']) delete process.env[name]
    process.env.DATA_DIR = dataDir
    await given.stop()
  })

  it('starts none of its own and keeps newsrooms apart', async () => {
    const demo = await stet('demo')
    expect(demo).toMatchObject({ failed: false, standalone: false })
    expect(demo.out).toMatch(/^Added 30 articles/)
    expect(existsSync(join(folder, 'unused'))).toBe(false)
    process.env.STREAM_PREFIX = 'two.'
    expect(records((await stet('replay')).out).map(({ type }) => type)).toEqual(['NewsroomFounded'])
  })

  it('leaves their backup to themselves', async () => {
    const refused = await stet('backup', join(folder, 'nowhere'))
    expect(refused).toMatchObject({ failed: true, out: '' })
    expect(refused.err).toMatch(/EVENTSTORE_URL names a server.*MONGODB_URL names a server/)
    expect(existsSync(join(folder, 'nowhere'))).toBe(false)
  })

  it('says in one line that they are gone', async () => {
    process.env.EVENTSTORE_URL = `unix:${join(folder, 'nobody.sock')}`
    const { failed, out, err } = await stet('replay')
    expect({ failed, out, lines: err.trim().split('\n').length }).toEqual({ failed: true, out: '', lines: 1 })
    expect(err).toContain('cannot be reached')
  })
})

describe('a token', () => {
  it('of a reporter names client, sections and desks', async () => {
    const limits = ['--client', 'desk tool', '--sections', 'sport, culture', '--desks', 'night']
    const { out } = await stet('token', '--role', 'reporter', '--name', 'somebody', ...limits)
    expect(JSON.parse(Buffer.from(out.split('.')[1]!, 'base64url').toString())).toMatchObject({
      ...{ client_id: 'desk tool', sections: ['sport', 'culture'], desks: ['night'], roles: ['reporter'] },
    })
  })

  it('is revoked by its id, by its actor or by the name it was made for, and the log has that', async () => {
    expect(await stet('token', 'revoke', 'some-jti', '--reason', 'lost')).toMatchObject({
      failed: false,
      out: 'some-jti is refused within a second, in every process\n',
    })
    expect((await stet('token', 'revoke', '--of', 'somebody')).failed).toBe(false)
    const revoked = records((await stet('replay', '--type', 'AccessRevoked')).out)
    expect(revoked).toMatchObject([
      {
        ...{ stream: 'access-revocations', actor: 'stet-cli', metadata: { client: 'stet-cli' } },
        data: { id: 'some-jti', reason: 'lost' },
      },
      { data: { id: localActor('somebody'), reason: null } },
    ])
  })

  it.each([
    [['token', '--name', 'x'], '--role and --name are needed'],
    [['token', '--role', 'editor', '--name', 'x', '--sections', 'sport'], 'limit reporters only'],
    [['token', '--role', 'reporter', '--name', 'x', '--sections', 'Sport'], 'is no slug'],
    [['token', 'revoke'], 'one of them'],
    [['token', 'revoke', 'a', '--of', 'b'], 'one of them'],
    [['token', 'revoke', 'a b'], 'without blanks'],
  ])('%j is refused in one line', async (args, reason) => {
    const { err, failed, out } = await stet(...args)
    expect({ failed, out, lines: err.trim().split('\n').length }).toEqual({ failed: true, out: '', lines: 1 })
    expect(err).toContain(reason)
  })
})

describe('what cannot be done', () => {
  it('is one line', async () => {
    for (const args of [
      ['import', join(folder, 'absent')],
      ['replay', '--from', 'x'],
      ['replay', '--limit', '0'],
    ]) {
      const { err, failed, out } = await stet(...args)
      expect({ failed, out, lines: err.trim().split('\n').length }).toEqual({ failed: true, out: '', lines: 1 })
    }
    expect((await stet('token', '--role', 'king', '--name', 'x')).err).toContain('the roles are reporter, editor')
  })

  it('is a token with another key', async () => {
    const token = await stet('token', '--role', 'analyst', '--name', 'somebody', '--days', '2')
    expect(token.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    process.env.AUTH_JWKS_URL = 'https://id.example.org/keys'
    process.env.AUTH_ISSUER = 'https://id.example.org'
    const refused = await stet('token', '--role', 'analyst', '--name', 'somebody')
    delete process.env.AUTH_JWKS_URL
    delete process.env.AUTH_ISSUER
    expect(refused).toMatchObject({ failed: true, out: '', err: expect.stringContaining('identity provider') })
  })
})
