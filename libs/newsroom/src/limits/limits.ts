// What desks and sections restrict: the one place that says which articles somebody with limits may work on.
import { Forbidden, type Permit } from '@stet/eventsourcing'
import { type Article } from '../article/state'
import { type Desk } from '../desk/desk'

/** Slugs; null: not limited. An empty array leaves nothing. */
export interface Limits {
  readonly sections: readonly string[] | null
  readonly desks: readonly string[] | null
}

/** Why somebody with these limits may not touch a stream in this state, null when they may. */
type Rule = (state: never, limits: Limits, actor: string) => string | null

/** By stream category; a category that is not here is for nobody with limits. */
const RULES: Readonly<Record<string, Rule>> = {
  // The working copy's section: it is what a change is made to. One without a section is its own writer's alone, so
  // that nobody takes an article out of a section, and out of other people's sight, by clearing it.
  article: ({ working, drafter }: Article, { sections }: Limits, actor) => {
    if (sections === null || !working) return null
    const { section } = working
    if (section === null)
      return drafter === actor ? null : 'An article without a section may be changed by its own writer only'
    return sections.includes(section.slug) ? null : `The article is, or would be, in the section ${section.slug}`
  },
  // Desks limit the work around an article: what is another desk's is another desk's to talk about. What no desk has is
  // anybody's, since every article begins so; one's own assignment is one's own, whichever desk it came through. Sections
  // say nothing here: talk changes no article, and reading is not limited either.
  desk: ({ desk, assignee }: Desk, { desks }: Limits, actor) =>
    desks === null || desk === null || assignee === actor || desks.includes(desk)
      ? null
      : `The article is, or would be, with the desk ${desk}`,
}

/**
 * What somebody with these limits may touch: every state from which and to which a command takes a stream is asked.
 * Throws Forbidden.
 */
export const within =
  (limits: Limits): Permit =>
  (state, { category, actor }) => {
    const rule = Object.hasOwn(RULES, category) ? RULES[category] : undefined
    const reason = rule ? rule(state as never, limits, actor) : 'Nothing but articles and their desks may be changed'
    if (reason === null) return
    throw new Forbidden(`${reason}: this token is limited to ${said(limits)}.`)
  }

const said = ({ sections, desks }: Limits): string =>
  [listed('sections', sections), listed('desks', desks)].filter(part => part !== null).join(' and ')

const listed = (what: string, slugs: readonly string[] | null): string | null => {
  if (slugs === null) return null
  return slugs.length === 0 ? `no ${what}` : `the ${what} ${slugs.slice(0, MOST_SHOWN).join(', ')}`
}

const MOST_SHOWN = 20
