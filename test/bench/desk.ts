// The editorial desk: how long a retracted article is still in any list, and what a long schedule costs while nothing of it
// is due, and when some of it is.
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { findRunningStores } from '@stet/embedded'
import { type EventToAppend } from '@stet/eventsourcing'
import { MongoClient } from 'mongodb'
import { Client } from '../support/client'
import { eventually, type Newsroom } from '../support/newsroom'
import { atMost, below, type Measure, quantile, stated } from './measures'
import { articleId, inParallel } from './seed-log'
import { BROWSER, caughtUp, logOf, seeded } from './support'

const RETRACTIONS = 200
const ARTICLES = 10_000
/** Pending changes of each article. */
const EACH = 10
/** Of one moment. */
const DUE = 50
/** Seconds of doing nothing. */
const IDLE = 20

export const desk = async (): Promise<Measure[]> => [...(await retractions()), ...(await longSchedule())]

/** From the answer to a retraction to the first look at which it is in no list, ranking or related list any more. */
const retractions = async (): Promise<Measure[]> => {
  const newsroom = await seeded({ articles: 200, views: 0 })
  try {
    const client = new Client(newsroom)
    const host = await client.publish('The host of what is related')
    const lists = [
      '/reader/v1/lists/editors-choice?limit=100',
      '/reader/v1/articles?section=news&limit=100',
      '/reader/v1/popular?window=1h&limit=100',
      `/reader/v1/articles/${host.id}/related`,
    ]
    const having = async (id: string) => {
      const texts = await Promise.all(lists.map(async path => (await fetch(newsroom.url + path)).text()))
      return texts.filter(text => text.includes(id)).length
    }
    const times: number[] = []
    for (let n = -5; n < RETRACTIONS; n++) {
      const { id } = await client.publish(`To be retracted ${n}`)
      await client.command('/lists/editors-choice/feature', { articleId: id, place: 0 })
      await client.command(`/articles/${host.id}/relate`, { articleIds: [id] }, { headers: { 'if-match': '*' } })
      await client.command(`/articles/${host.id}/publish`)
      await client.post('/reader/v1/views', { articleId: id }, { headers: { 'user-agent': BROWSER } })
      await eventually('it is in every list', async () => (await having(id)) === lists.length)
      await client.command(`/articles/${id}/retract`, { notice: 'It was wrong.' })
      const answered = performance.now()
      while ((await having(id)) > 0);
      if (n >= 0) times.push(performance.now() - answered)
    }
    const sorted = times.sort((a, b) => a - b)
    const what = `a retraction out of ${lists.length} lists, p99 of ${sorted.length} (p50 ${quantile(sorted, 0.5).toFixed(1)} ms)`
    return [below(what, quantile(sorted, 0.99), 'ms', 500)]
  } finally {
    await newsroom.stop()
    await newsroom.dispose()
  }
}

const longSchedule = async (): Promise<Measure[]> => {
  const newsroom = await seeded({ articles: ARTICLES, views: 0 })
  try {
    const none = { idle: await cpuWhileIdle(newsroom), late: await lateness(newsroom) }
    await schedule(newsroom)
    await caughtUp(newsroom)
    const many = { idle: await cpuWhileIdle(newsroom), late: await lateness(newsroom) }
    const pending = (ARTICLES * EACH).toLocaleString('en')
    const { keys, documents } = await examinedByATick(newsroom)
    return [
      atMost(`processor time while nothing is due, ${pending} pending beside none`, many.idle, none.idle, 'ms/s', 1.5),
      below(`entries of the index and documents looked at by a tick, ${pending} pending`, keys + documents, '', 2),
      below(`${DUE} changes of one moment, until the last one is seen, ${pending} pending`, many.late, 'ms', 1_000),
      stated('the same with none pending', `${none.late} ms`),
      stated('looks at what is due', '2/s'),
    ]
  } finally {
    await newsroom.stop()
    await newsroom.dispose()
  }
}

/** Appends what nobody lives to see: a year ahead. */
const schedule = async (newsroom: Newsroom): Promise<void> => {
  const log = await logOf(newsroom)
  const at = Date.now() + 365 * 86_400_000
  await inParallel(ARTICLES, 64, async n => {
    const stream = `article-${articleId(n)}`
    const current = (await log.lastOf(stream))?.revision ?? -1
    const events = Array.from({ length: EACH }, (_, i): EventToAppend => {
      const id = randomUUID()
      const metadata = { $correlationId: id, $causationId: id, commandId: id, fingerprint: 'bench', actor: 'bench' }
      const change = { kind: 'unpublish', reason: null }
      return {
        id,
        type: 'ArticleChangeScheduled',
        data: { scheduleId: id, at: new Date(at + i * 1_000).toISOString(), zone: null, change },
        metadata: { ...metadata, at: new Date().toISOString() },
      }
    })
    const result = await log.append(stream, current, events)
    if (!result.ok) throw new Error('somebody else writes to the article')
  })
  await log.close()
}

/** Milliseconds of processor time a second that all processes of the newsroom take while nobody asks for anything. */
const cpuWhileIdle = async (newsroom: Newsroom): Promise<number> => {
  await delay(2_000)
  const before = await cpuOf(newsroom.process.pid!)
  await delay(IDLE * 1_000)
  return ((await cpuOf(newsroom.process.pid!)) - before) / IDLE
}

/** Processor time of a process group so far, in milliseconds: /proc/PID/stat, at a hundred ticks a second. */
const cpuOf = async (group: number): Promise<number> => {
  let ticks = 0
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    // The name of the program is in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    if (Number(fields[2]) === group) ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks * 10
}

/** Milliseconds from the time at which some changes are due to when editors see the last of them done. */
const lateness = async (newsroom: Newsroom): Promise<number> => {
  const client = new Client(newsroom)
  const ids: string[] = []
  for (let n = 0; n < DUE; n++) ids.push((await client.publish(`Goes at a moment ${randomUUID()}`)).id)
  const due = Date.now() + 3_000
  await Promise.all(
    ids.map(id => client.command(`/articles/${id}/schedule`, { change: 'unpublish', at: new Date(due).toISOString() })),
  )
  await delay(due - Date.now())
  for (const id of ids)
    await eventually('it is gone', async () => (await client.get(`/reader/v1/articles/${id}`)).status === 410)
  return Date.now() - due
}

/** What the query of the timetable looks at, as the store explains it. */
const examinedByATick = async (newsroom: Newsroom): Promise<{ keys: number; documents: number }> => {
  const { mongodbUrl } = (await findRunningStores(newsroom.dataDir))!
  const client = new MongoClient(mongodbUrl)
  try {
    const explained = await client
      .db('stet')
      .collection('scheduled-changes-v1-g1')
      .find({ state: 'pending', at: { $lte: new Date().toISOString() } })
      .sort({ at: 1, _id: 1 })
      .limit(100)
      .explain('executionStats')
    const { totalKeysExamined, totalDocsExamined } = explained.executionStats as Record<string, number>
    return { keys: totalKeysExamined!, documents: totalDocsExamined! }
  } finally {
    await client.close()
  }
}
