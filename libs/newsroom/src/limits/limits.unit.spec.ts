// Who is limited to sections works on their articles alone, and no way leads round it.
import { describe, expect, it } from '@jest/globals'
import { Forbidden } from '@stet/eventsourcing'
import { article } from '../article/article'
import { DEFAULT_POLICY } from '../article/policy'
import { decidersOf } from '../deciders'
import { desk, type Desk, noDesk } from '../desk/desk'
import { given, recorded } from '../testing/scenario.fixture.spec'
import { within } from './limits'

const ID = '0b7c5d1e-0000-4000-8000-000000000001'
const content = (section: string | null) => ({
  ...{
    headline: 'h',
    bodyHtml: '',
    summary: null,
    keyPoints: [],
    tags: [],
    authors: [],
    image: null,
    language: 'en',
    seo: null,
  },
  ...{ canonicalUrl: null, wantedSlug: null, section: section === null ? null : { slug: section, name: section } },
})
/** An article that editor-1 began in a section and that was moved afterwards. */
const state = (section: string | null, movedTo?: string | null) =>
  given(article, ID, [
    ...recorded(`article-${ID}`, [{ type: 'ArticleDrafted', data: content(section) }]),
    ...(movedTo === undefined
      ? []
      : recorded(
          `article-${ID}`,
          [
            {
              type: 'ArticleRevised',
              data: { changes: { section: movedTo === null ? null : content(movedTo).section } },
            },
          ],
          { from: 1 },
        )),
  ]).state()

const permits = (sections: string[] | null, of: unknown, actor = 'somebody', category = 'article') => {
  try {
    within({ sections, desks: null })(of, { category, actor })
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(Forbidden)
    return false
  }
}

describe('somebody limited to sections', () => {
  it('may begin an article, and work on those of the sections', () => {
    expect(permits(['sport'], article.initial)).toBe(true)
    expect(permits(['culture', 'sport'], state('sport'))).toBe(true)
    expect(permits(['sport'], state('politics'))).toBe(false)
    expect(permits([], state('sport'))).toBe(false)
  })

  it('is held to the section of now, not to that of then', () => {
    expect(permits(['sport'], state('sport', 'politics'))).toBe(false)
    expect(permits(['sport'], state('politics', 'sport'))).toBe(true)
  })

  it('may work on an article without a section only when it is their own', () => {
    expect(permits(['sport'], state(null), 'editor-1')).toBe(true)
    expect(permits([], state('sport', null), 'editor-1')).toBe(true)
    expect(permits(['sport'], state(null))).toBe(false)
    expect(permits(['sport'], state('sport', null))).toBe(false)
  })

  it('is told which sections those are', () => {
    expect(() =>
      within({ sections: ['sport'], desks: ['night'] })(state('politics'), { category: 'article', actor: 'a' }),
    ).toThrow(
      'The article is, or would be, in the section politics: this token is limited to the sections sport and the desks night.',
    )
  })

  it('may touch no other stream, of whatever name', () => {
    for (const { category, initial } of decidersOf(DEFAULT_POLICY).filter(
      one => one !== desk && one.category !== 'article',
    ))
      expect(permits(['sport'], initial, 'somebody', category)).toBe(false)
    for (const category of ['constructor', 'toString', '__proto__'])
      expect(permits(null, article.initial, 'somebody', category)).toBe(false)
  })

  it('by desks alone is not limited to sections', () => {
    expect(permits(null, state('politics'))).toBe(true)
  })
})

describe('somebody limited to desks', () => {
  const at = (of: Partial<Desk>, desks: string[] | null, sections: string[] | null = null) => {
    try {
      within({ sections, desks })({ ...noDesk, ...of }, { category: 'desk', actor: 'writer-1' })
      return true
    } catch (error) {
      expect(error).toBeInstanceOf(Forbidden)
      return false
    }
  }

  it('talks about what is with those desks, with nobody, or assigned to themselves', () => {
    expect(at({ desk: 'night' }, ['night', 'copy'])).toBe(true)
    expect(at({ desk: 'sport' }, ['night'])).toBe(false)
    expect(at({ desk: 'sport' }, [])).toBe(false)
    expect(at({ desk: 'sport', assignee: 'writer-1' }, ['night'])).toBe(true)
    expect(at({ desk: 'sport', assignee: 'writer-2' }, ['night'])).toBe(false)
    expect(at({}, ['night'])).toBe(true)
  })

  it('is not kept from talking by sections', () => {
    expect(at({ desk: 'sport' }, null, ['culture'])).toBe(true)
    expect(at({ desk: 'sport' }, ['night'], ['culture'])).toBe(false)
  })
})
