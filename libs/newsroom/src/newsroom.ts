// Every event of a newsroom. A read model answers each of them or says 'ignore': a new one does not compile until then.
import { type ArticleEvents } from './article/events'
import { type DeskEvents } from './desk/events'
import { type ListEvents } from './lists/events'
import { type SlugEvents } from './slugs/events'
import { type ViewEvents } from './views/events'

/** The first event of every log: whose it is. */
export interface FoundingEvents {
  NewsroomFounded: { readonly id: string }
}

export type NewsroomEvents = FoundingEvents & ArticleEvents & DeskEvents & ListEvents & SlugEvents & ViewEvents

/** For read models that are about a newsroom's content, not about whose it is. */
export const ignoreFounding = { NewsroomFounded: 'ignore' } as const satisfies Record<keyof FoundingEvents, 'ignore'>

/** Groups of projections: one subscription, one batch and one checkpoint each (docs/architecture.md). */
export const GROUPS = {
  /** What a page needs, and the timetable. */
  newsroom: ['newsroom', 'article', 'list', 'slug'],
  /** Editors' lists of articles: every revision changes them, and none of that delays a page. */
  desk: ['article', 'desk'],
  /** Counts of views; a flood never delays a publication. */
  readership: ['views', 'article'],
  /** Related articles; a warm-up never delays a page. */
  related: ['article'],
  /** What happened, for editors: never delays their lists, and halts without them. */
  history: ['article', 'list', 'desk'],
} as const satisfies Record<string, readonly string[]>
export type Group = keyof typeof GROUPS

/** Milliseconds from one batch of a group to the next: what editors look through and rankings may be older than a page. */
export const PACES: Readonly<Record<Group, number>> = {
  newsroom: 10,
  desk: 100,
  readership: 100,
  related: 100,
  history: 100,
}
