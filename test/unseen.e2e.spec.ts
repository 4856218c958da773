// What is not live is nowhere for readers: answers about it are those about what never was.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Client } from './support/client'
import { type Newsroom, startNewsroom } from './support/newsroom'

const SECRET = 'Minister resigns tonight'
const SLUG = 'minister-resigns-tonight'

let newsroom: Newsroom
let client: Client
const hidden: Record<string, string> = {}
let position = ''

beforeAll(async () => {
  newsroom = await startNewsroom()
  client = new Client(newsroom)
  const content = { headline: SECRET, section: 'Secret section', bodyHtml: `<p>${SECRET}</p>`, tags: ['Secret tag'] }
  hidden.draft = (await client.command('/articles', { ...content, slug: SLUG })).id
  // Sourced, related and featured: everything short of publication.
  await client.command(`/articles/${hidden.draft}/source`, { outlet: SECRET, contributors: [] })
  await client.command('/lists/editors-choice/feature', { articleId: hidden.draft })
  const wire = {
    ...{ uri: 'urn:secret:1', type: 'text', version: '1', versioncreated: '2026-01-01T00:00:00Z', pubstatus: 'usable' },
    ...{ headline: SECRET, body_html: `<p>${SECRET}</p>`, slugline: SLUG, embargoed: '2099-01-01T00:00:00Z' },
    subject: [{ name: 'Secret section' }],
  }
  hidden.embargoed = (await client.command('/imports/ninjs?publish=true', wire, { role: 'service' })).id
  const live = await client.publish('Seen by everybody')
  const related = [hidden.draft, hidden.embargoed]
  await client.command(`/articles/${live.id}/relate`, { articleIds: related }, { headers: { 'if-match': '*' } })
  position = (await client.command(`/articles/${live.id}/publish`)).position
  hidden.shownBy = live.id
})
afterAll(async () => {
  await newsroom?.stop()
  await newsroom?.dispose()
})

/** Everything of an answer but what names the request itself. */
const comparable = async (path: string, name: string) => {
  const { status, headers, body } = await client.get<string | object>(path.replace('NAME', name))
  const kept = [...headers].filter(
    ([key]) => !['date', 'x-correlation-id', 'stet-position', 'content-length'].includes(key),
  )
  const said = JSON.stringify(body)
    .replaceAll(name, 'NAME')
    .replace(/urn:correlation:[^"]+/, '')
  return { status, headers: Object.fromEntries(kept), said }
}

describe('what is not live', () => {
  it.each(['/reader/v1/articles/NAME', '/reader/v1/articles/NAME?include=', '/reader/v1/articles/NAME/related'])(
    '%s is answered as what never was',
    async path => {
      const [unknownId, unknownSlug] = [await comparable(path, randomUUID()), await comparable(path, 'never-was')]
      expect(unknownId.status).toBe(404)
      for (const id of [hidden.draft!, hidden.embargoed!]) {
        expect(await comparable(path, id)).toEqual(unknownId)
        expect(await comparable(path, id.toUpperCase())).toEqual(unknownId)
      }
      for (const slug of [SLUG, `${SLUG}-2`]) expect(await comparable(path, slug)).toEqual(unknownSlug)
    },
  )

  it('is in no list, no ranking, no filter and beside no article', async () => {
    const paths = [
      'articles?limit=100',
      'articles?section=secret-section',
      'articles?tag=secret-tag',
      'popular?window=24h',
      'popular?window=7d&section=secret-section',
      'lists',
      'lists/editors-choice',
      `articles/${hidden.shownBy}`,
      `articles/${hidden.shownBy}/related`,
    ]
    for (const id of [hidden.draft, hidden.embargoed]) {
      const view = await client.post('/reader/v1/views', { articleId: id, viewId: randomUUID() })
      expect(view.status).toBe(204)
    }
    for (const path of paths) {
      const joined = path.includes('?') ? '&' : '?'
      const { status, body, headers } = await client.get(`/reader/v1/${path}${joined}position=${position}`)
      expect(status).toBe(200)
      const text = JSON.stringify([body, ...headers])
      for (const secret of [SECRET, SLUG, 'Secret', hidden.draft, hidden.embargoed]) expect(text).not.toContain(secret)
    }
  })
})
