// The desk of an article: notes among editors, whose work it is, until when it is wanted, and who is editing it now. It has
// a stream of its own, so that no talk makes an editor's revision of the article stale.
import { decider, type DecideContext, Invalid, RuleBroken } from '@stet/eventsourcing'
import { IsInt, IsOptional, Max, Min } from 'class-validator'
import { Demanded } from '../article/erasing'
import { instantOf, zonedTimeText, zoneName } from '../text/zoned-time'
import { IsId, IsNonBlank, IsShaped, IsSlug, nullable, subjectId } from '../validation'
import { type DeskEvents } from './events'

/** Notes that nobody has resolved, of one article. */
export const MAX_OPEN_NOTES = 100
/** People who are said to be editing one article. */
export const MAX_CLAIMS = 20
/** Minutes that a claim lasts unless it is renewed. */
export const CLAIM_MINUTES = 10
/** Days ahead. */
const FURTHEST = 3660

/** Says something about the article to whoever works on it. The note's id is that of the command. */
export class AddNote {
  @IsNonBlank(2000) text!: string
}

/** The note has been dealt with. */
export class ResolveNote {
  @IsId() noteId!: string
}

/** Whose work the article is: absent = unchanged, null = nobody's. */
export class AssignArticle {
  /** Slug of a desk. */
  @IsOptional() @IsSlug() desk?: string | null
  /** Opaque subject id of a person, as tokens have it. */
  @IsOptional() @IsShaped(subjectId()) assignee?: string | null
}

/** Until when the article is wanted. */
export class SetDue {
  /** RFC 3339 with an offset, or a local time beside `zone`; null: no more. */
  @IsShaped(nullable(zonedTimeText())) due!: string | null
  /** IANA time zone, `Europe/Berlin`; kept so that editors see the time as it was meant. */
  @IsOptional() @IsShaped(zoneName()) zone?: string | null
}

/** Says that one is editing the article. It informs the others and stops nobody; sent again it goes on. */
export class ClaimArticle {
  /** Until it ends by itself; 10 when absent. */
  @IsOptional() @IsInt() @Min(1) @Max(60) minutes?: number | null
}

/** Says that one is no longer editing it. */
export class ReleaseClaim {}

/** Erases what was said and done at the desk. Internal: follows the article's own command, `final` where that erased it. */
export class EraseDesk extends Demanded {
  final!: boolean
}

export interface Note {
  readonly text: string
  /** Opaque subject id. */
  readonly by: string
  /** RFC 3339 UTC. */
  readonly at: string
}

export interface Desk {
  /** Open ones, by id, in the order in which they were added. */
  readonly notes: Readonly<Record<string, Note>>
  readonly desk: string | null
  readonly assignee: string | null
  readonly due: string | null
  readonly zone: string | null
  /** Ends of claims by subject id; ended ones are forgotten as others come. */
  readonly claims: Claims
  /** Nothing was said or done since the desk was erased, or ever. */
  readonly blank: boolean
  /** The article was erased. */
  readonly closed: boolean
}

export type Claims = Readonly<Record<string, string>>

export const noDesk: Desk = {
  notes: {},
  desk: null,
  assignee: null,
  due: null,
  zone: null,
  claims: {},
  blank: true,
  closed: false,
}

const article = (_: object, key: string) => `article-${key}`

export const desk = decider<Desk, DeskEvents>()({
  category: 'desk',
  commands: { AddNote, ResolveNote, AssignArticle, SetDue, ClaimArticle, ReleaseClaim, EraseDesk },
  initial: noDesk,
  decide: {
    AddNote({ text: given }, state, context) {
      assertOpen(state, context)
      const text = given.trim()
      const open = Object.values(state.notes)
      if (open.some(note => note.text === text && note.by === context.actor)) return []
      if (open.length >= MAX_OPEN_NOTES)
        throw new RuleBroken('too-many-notes', `article ${context.key} has ${MAX_OPEN_NOTES} open notes: resolve one`)
      return [{ type: 'DeskNoteAdded', data: { noteId: context.commandId, text } }]
    },

    ResolveNote({ noteId: given }, state) {
      const noteId = given.toLowerCase()
      // Unknown or resolved before: either way it is not open any more.
      return Object.hasOwn(state.notes, noteId) ? [{ type: 'DeskNoteResolved', data: { noteId } }] : []
    },

    AssignArticle(command, state, context) {
      assertOpen(state, context)
      const { desk = state.desk, assignee = state.assignee } = command
      return desk === state.desk && assignee === state.assignee
        ? []
        : [{ type: 'ArticleAssigned', data: { desk, assignee } }]
    },

    SetDue({ due: given, zone: named }, state, context) {
      assertOpen(state, context)
      const due = given ? instantOf(given, named, '#/due') : null
      const zone = due === null ? null : (named ?? null)
      if (due === state.due && zone === state.zone) return []
      if (due !== null && Date.parse(due) - Date.parse(context.at) > FURTHEST * 86_400_000)
        throw new Invalid([{ pointer: '#/due', detail: `${given} lies more than ${FURTHEST} days ahead` }])
      return [{ type: 'ArticleDueSet', data: { due, zone } }]
    },

    ClaimArticle({ minutes }, state, context) {
      assertOpen(state, context)
      const { actor, at } = context
      const lasting = (minutes ?? CLAIM_MINUTES) * 60_000
      const now = Date.parse(at)
      const left = Object.hasOwn(state.claims, actor) ? Date.parse(state.claims[actor] ?? at) - now : 0
      // An editor's tool renews it again and again: only every other time leaves a trace.
      if (left > lasting / 2) return []
      return [{ type: 'ArticleClaimed', data: { until: new Date(now + lasting).toISOString() } }]
    },

    ReleaseClaim(_, state, { actor, at }) {
      const until = Object.hasOwn(state.claims, actor) ? state.claims[actor] : undefined
      return until !== undefined && until > at ? [{ type: 'ArticleClaimReleased', data: {} }] : []
    },

    EraseDesk({ authority, reason, final }, { blank, closed }) {
      if (closed || (blank && !final)) return []
      return [{ type: 'DeskErased', data: { authority, reason, ...(final && { final }) } }]
    },
  },
  // Nobody's note is added once more by a repeat of the command that added it before.
  anew: { DeskErased: 'remember' },
  evolve: {
    DeskNoteAdded: (state, { data: { noteId, text }, at, metadata }) => ({
      ...state,
      blank: false,
      notes: { ...state.notes, [noteId]: { text, by: metadata.actor, at } },
    }),
    DeskNoteResolved: (state, { data }) => {
      const { [data.noteId]: _, ...notes } = state.notes
      return { ...state, blank: false, notes }
    },
    ArticleAssigned: (state, { data: { desk, assignee } }) => ({ ...state, blank: false, desk, assignee }),
    ArticleDueSet: (state, { data: { due, zone } }) => ({ ...state, blank: false, due, zone }),
    ArticleClaimed: (state, { data, at, metadata }) => ({
      ...state,
      blank: false,
      claims: claimed(state.claims, metadata.actor, data.until, at),
    }),
    ArticleClaimReleased: (state, { metadata }) => ({
      ...state,
      blank: false,
      claims: released(state.claims, metadata.actor),
    }),
    DeskErased: (_, { data }) => ({ ...noDesk, closed: data.final === true }),
  },
  exists: {
    AddNote: article,
    ResolveNote: article,
    AssignArticle: article,
    SetDue: article,
    ClaimArticle: article,
    ReleaseClaim: article,
  },
})

/** Claims with one more; those that had ended at `at` are forgotten, and of too many those that end first. */
export const claimed = (claims: Claims, actor: string, until: string, at: string): Claims => {
  const others = Object.entries(claimsAt(claims, at)).filter(([other]) => other !== actor)
  const kept = others.sort(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0)).slice(0, MAX_CLAIMS - 1)
  return Object.fromEntries([[actor, until], ...kept])
}

export const released = (claims: Claims, actor: string): Claims => {
  const { [actor]: _, ...others } = claims
  return others
}

/** Claims that have not ended. */
export const claimsAt = (claims: Claims, at: string): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([, until]) => until > at))

const assertOpen = ({ closed }: Desk, { key }: Pick<DecideContext, 'key'>): void => {
  if (closed) throw new RuleBroken('erased', `article ${key} was erased: there is nothing left to work on`)
}
