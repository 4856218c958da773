// Files, folders and NDJSON become one command per item; what cannot be imported is a line, not an end.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type CommandOutcome, RuleBroken, Unavailable } from '@stet/eventsourcing'
import { ImportArticle, wireArticleId } from '@stet/newsroom'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importFiles } from './importer'
import { filesOf, itemsOf } from './sources'

const item = (key: string, more: object = {}): object => ({
  uri: `urn:example:${key}`,
  headline: `Headline of ${key}`,
  body_html: '<p>Text.</p>',
  ...more,
})

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stet-import-'))
  await mkdir(join(folder, 'deep/er'), { recursive: true })
  await writeFile(join(folder, 'one.json'), `\ufeff${JSON.stringify(item('one'))}`)
  await writeFile(join(folder, 'deep/er/two.json'), JSON.stringify([item('two'), item('three')]))
  await writeFile(
    join(folder, 'deep/lines.ndjson'),
    [JSON.stringify(item('four')), '', '{broken', JSON.stringify(item('held', { pubstatus: 'withheld' })), '7'].join(
      '\r\n',
    ),
  )
  await writeFile(join(folder, 'notes.txt'), 'no item')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const sending = (refuse?: (key: string) => Error | null) => {
  const sent: { key: string; command: ImportArticle }[] = []
  const send = async (key: string, command: object): Promise<CommandOutcome> => {
    const error = refuse?.(key)
    if (error) throw error
    sent.push({ key, command: command as ImportArticle })
    return { id: key, revision: 0, position: '0', replayed: false, changed: sent.length !== 1 }
  }
  return { sent, send }
}

describe('sources', () => {
  it('are found in folders, in the order of their names, each item with its place', async () => {
    const files = await filesOf([folder])
    expect(files.map(({ path }) => path.slice(folder.length + 1))).toEqual([
      'deep/er/two.json',
      'deep/lines.ndjson',
      'one.json',
    ])
    const places: string[] = []
    for (const file of files) for await (const each of itemsOf(file)) places.push(each.at.slice(folder.length + 1))
    expect(places).toEqual([
      'deep/er/two.json#/0',
      'deep/er/two.json#/1',
      'deep/lines.ndjson:1',
      'deep/lines.ndjson:3',
      'deep/lines.ndjson:4',
      'deep/lines.ndjson:5',
      'one.json',
    ])
  })

  it('must be there', async () => {
    await expect(filesOf([join(folder, 'absent')])).rejects.toThrow('there is no file or folder')
    await mkdir(join(folder, 'empty'))
    await expect(filesOf([join(folder, 'empty')])).rejects.toThrow('no .json, .ndjson, .jsonl file')
  })

  it('that cannot be read are a problem of their own', async () => {
    const read: unknown[] = []
    for await (const each of itemsOf({ path: join(folder, 'gone.ndjson'), size: 1 })) read.push(each)
    expect(read).toEqual([{ at: join(folder, 'gone.ndjson'), problem: expect.stringContaining('ENOENT') }])
  })
})

describe('importing', () => {
  it('sends each item and reports the others, one line each', async () => {
    const { sent, send } = sending()
    const failures: string[] = []
    const progress: number[] = []
    const files = await filesOf([folder])
    const tally = await importFiles(files, {
      publish: true,
      send,
      onFailure: (at, reason) => failures.push(`${at.slice(folder.length + 1)} ${reason}`),
      onProgress: done => progress.push(done),
    })
    expect(tally).toEqual({ items: 7, recorded: 4, unchanged: 1, held: 1, canceled: 0, failed: 2, incomplete: 0 })
    expect(sent.map(({ key }) => key).sort()).toEqual(
      ['one', 'two', 'three', 'four', 'held'].map(key => wireArticleId(`urn:example:${key}`)).sort(),
    )
    expect(sent.every(({ command }) => command instanceof ImportArticle && command.publish)).toBe(true)
    expect(failures.sort()).toEqual([
      expect.stringMatching(/^deep\/lines.ndjson:3 is no JSON: /),
      expect.stringMatching(/^deep\/lines.ndjson:5 # is no ninjs item/),
    ])
    for (const line of failures) expect(line).not.toContain('\n')
    expect(progress.at(-1)).toBe(files.reduce((sum, { size }) => sum + size, 0))
  })

  it('goes on after what the domain refuses', async () => {
    const refused = wireArticleId('urn:example:two')
    const { sent, send } = sending(key => (key === refused ? new RuleBroken('body-missing', 'it has no body') : null))
    const failures: string[] = []
    const tally = await importFiles(await filesOf([join(folder, 'deep/er')]), {
      publish: true,
      send,
      onFailure: (_, reason) => failures.push(reason),
    })
    expect(tally).toMatchObject({ items: 2, failed: 1 })
    expect(failures).toEqual(['it has no body'])
    expect(sent).toHaveLength(1)
  })

  it('stops when the store is gone: a line for each of a million items would help nobody', async () => {
    const { send } = sending(() => new Unavailable('event store', 'the event store does not answer'))
    const failures: string[] = []
    const importing = importFiles(await filesOf([folder]), {
      publish: false,
      concurrency: 1,
      send,
      onFailure: (_, reason) => failures.push(reason),
    })
    await expect(importing).rejects.toThrow('the event store does not answer')
    expect(failures).toEqual([])
  })
})
