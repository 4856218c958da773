// A curated list: the articles that editors put forward, in order, guarded by the list's own revision.
import { decider, NotFound, RuleBroken } from '@stet/eventsourcing'
import { collapsed } from '../text/slug'
import { IsId, IsNonBlank } from '../validation'
import { BUILT_IN_LISTS, type ListEvents } from './events'

/** Lower-case words joined by hyphens, at most 80 characters: a list's name, which is its stream's key. */
export const LIST_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
export const isListName = (name: string): boolean => name.length <= 80 && LIST_NAME.test(name)
export const MAX_LIST = 500

/** Creates a list of that name; the built-in ones exist. */
export class CreateList {
  /** What readers see on a card that is featured in it. */
  @IsNonBlank(100) label!: string
}

/** Puts an article at the end of the list; one that is not live is shown once it is. */
export class FeatureArticle {
  @IsId() articleId!: string
}

export class UnfeatureArticle {
  @IsId() articleId!: string
}

export interface CuratedList {
  /** Null until it is created. */
  readonly label: string | null
  readonly articleIds: readonly string[]
}

export const curatedList = decider<CuratedList, ListEvents>()({
  category: 'list',
  commands: { CreateList, FeatureArticle, UnfeatureArticle },
  initial: { label: null, articleIds: [] },
  decide: {
    CreateList({ label: submitted }, list, { key }) {
      if (!isListName(key)) throw unknown(key)
      const label = collapsed(submitted)
      const existing = list.label ?? builtInLabel(key)
      if (existing === label) return []
      if (existing !== null) throw new RuleBroken('list-exists', `list ${key} exists with the label "${existing}"`)
      return [{ type: 'ListCreated', data: { label } }]
    },

    FeatureArticle({ articleId }, list, { key }) {
      existing(list, key)
      const id = articleId.toLowerCase()
      if (list.articleIds.includes(id)) return []
      if (list.articleIds.length >= MAX_LIST)
        throw new RuleBroken('list-full', `list ${key} holds ${MAX_LIST} articles: take one off first`)
      return [{ type: 'ArticleFeatured', data: { articleId: id } }]
    },

    UnfeatureArticle({ articleId }, list, { key }) {
      existing(list, key)
      const id = articleId.toLowerCase()
      return list.articleIds.includes(id) ? [{ type: 'ArticleUnfeatured', data: { articleId: id } }] : []
    },
  },
  evolve: {
    ListCreated: (list, { data }) => ({ ...list, label: data.label }),
    ArticleFeatured: (list, { data }) => ({ ...list, articleIds: [...list.articleIds, data.articleId] }),
    ArticleUnfeatured: (list, { data }) => ({
      ...list,
      articleIds: list.articleIds.filter(id => id !== data.articleId),
    }),
  },
  exists: { FeatureArticle: ({ articleId }) => `article-${articleId.toLowerCase()}` },
})

/** Label of a list that exists from the start, else null. */
export const builtInLabel = (name: string): string | null =>
  BUILT_IN_LISTS.find(list => list.name === name)?.label ?? null

const existing = (list: CuratedList, name: string): void => {
  if (list.label === null && builtInLabel(name) === null) throw unknown(name)
}

const unknown = (name: string) => new NotFound(`there is no list ${name}`)
