// Talk and work around an article: notes, assignment, due time, claims.
import { describe, expect, it } from '@jest/globals'
import { AT, type Event, given, recorded } from '../testing/scenario.fixture.spec'
import { command, ID, LATER, SOON } from '../testing/article.fixture.spec'
import {
  AddNote,
  AssignArticle,
  ClaimArticle,
  desk,
  type Desk,
  EraseDesk,
  MAX_CLAIMS,
  MAX_OPEN_NOTES,
  ReleaseClaim,
  ResolveNote,
  SetDue,
} from './desk'
import { deskView } from './desk-view'

const NOTE = '7f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a09'
const note = (text: string, noteId = NOTE): Event => ({ type: 'DeskNoteAdded', data: { noteId, text } })
const at = (...events: Parameters<typeof given>[2]) => given(desk, ID, events)
const by = (actor: string, event: Event, when = AT) => recorded(`desk-${ID}`, [event], { actor, at: when })
const view = (scenario: ReturnType<typeof at>, now = AT) =>
  deskView(ID, { state: scenario.state() as Desk, revision: 0 }, new Date(now))

describe('notes', () => {
  it('are added and resolved; the same one again is not said twice', () => {
    at()
      .when(command(AddNote, { text: ' Call them. ' }), { commandId: NOTE })
      .then(note('Call them.'))
    at(note('Call them.'))
      .when(command(AddNote, { text: 'Call them.' }))
      .thenNothing()
    at(note('Call them.'))
      .when(command(ResolveNote, { noteId: NOTE.toUpperCase() }))
      .then({ type: 'DeskNoteResolved', data: { noteId: NOTE } })
    at()
      .when(command(ResolveNote, { noteId: NOTE }))
      .thenNothing()
    expect(view(at(note('Call them.'))).notes).toEqual([{ noteId: NOTE, text: 'Call them.', by: 'editor-1', at: AT }])
    expect(view(at(note('x'), { type: 'DeskNoteResolved', data: { noteId: NOTE } })).notes).toEqual([])
  })

  it('that are open are bounded', () => {
    const many = Array.from({ length: MAX_OPEN_NOTES }, (_, i) =>
      note(`n${i}`, `7f0c1f5e-8a5d-4d5e-9a53-${String(i).padStart(12, '0')}`),
    )
    at(...many)
      .when(command(AddNote, { text: 'more' }))
      .thenThrows('too-many-notes')
    at(...many.slice(1))
      .when(command(AddNote, { text: 'more' }), { commandId: NOTE })
      .then(note('more'))
  })
})

describe('assignment and due time', () => {
  const assigned = (desk: string | null, assignee: string | null): Event => ({
    type: 'ArticleAssigned',
    data: { desk, assignee },
  })

  it('changes what is given and keeps the rest', () => {
    at()
      .when(command(AssignArticle, { desk: 'night' }))
      .then(assigned('night', null))
    at(assigned('night', 'p1'))
      .when(command(AssignArticle, { assignee: 'p2' }))
      .then(assigned('night', 'p2'))
    at(assigned('night', 'p1'))
      .when(command(AssignArticle, { desk: null }))
      .then(assigned(null, 'p1'))
    at(assigned('night', 'p1')).when(command(AssignArticle)).thenNothing()
  })

  it('is by the clock of a zone, or none', () => {
    const due = { due: '2026-07-01T06:00:00.000Z', zone: 'Europe/Berlin' }
    const set: Event = { type: 'ArticleDueSet', data: due }
    at()
      .when(command(SetDue, { due: '2026-07-01T08:00', zone: 'Europe/Berlin' }))
      .then(set)
    at(set)
      .when(command(SetDue, { due: null }))
      .then({ type: 'ArticleDueSet', data: { due: null, zone: null } })
    at()
      .when(command(SetDue, { due: '2026-07-01T08:00' }))
      .thenThrows('invalid', /no offset/)
    at()
      .when(command(SetDue, { due: '2056-07-01T08:00:00Z' }))
      .thenThrows('invalid', /days ahead/)
  })
})

describe('a claim', () => {
  const claimed = (until: string): Event => ({ type: 'ArticleClaimed', data: { until } })
  const released: Event = { type: 'ArticleClaimReleased', data: {} }
  const ten = '2026-03-01T12:10:00.000Z'

  it('informs and blocks nobody: others claim beside it', () => {
    at().when(new ClaimArticle()).then(claimed(ten))
    const both = at(...by('a', claimed(ten)), ...by('b', claimed(LATER)))
    expect(view(both).claims).toEqual([
      { by: 'a', until: ten },
      { by: 'b', until: LATER },
    ])
    both.when(new ClaimArticle()).then(claimed(ten))
  })

  it('goes on when it is sent again, and leaves a trace only every other time', () => {
    at(claimed(ten)).when(new ClaimArticle(), { at: '2026-03-01T12:04:59.000Z' }).thenNothing()
    at(claimed(ten))
      .when(new ClaimArticle(), { at: '2026-03-01T12:05:00.000Z' })
      .then(claimed('2026-03-01T12:15:00.000Z'))
  })

  it('ends by itself or when it is released, by whoever made it', () => {
    expect(view(at(claimed(ten)), ten).claims).toEqual([])
    at(claimed(ten)).when(new ReleaseClaim()).then(released)
    at(claimed(ten)).when(new ReleaseClaim(), { actor: 'another' }).thenNothing()
    at(claimed(ten)).when(new ReleaseClaim(), { at: SOON }).thenNothing()
    expect(view(at(claimed(ten), released)).claims).toEqual([])
  })

  it('is one of so many', () => {
    const many = Array.from({ length: MAX_CLAIMS + 5 }, (_, i) =>
      by(`p${i}`, claimed(`2026-03-01T12:${String(10 + i).padStart(2, '0')}:00.000Z`)),
    ).flat()
    expect(view(at(...many)).claims).toHaveLength(MAX_CLAIMS)
    // Those that have ended make room.
    expect(Object.keys((at(...many, ...by('late', claimed(LATER), SOON)).state() as Desk).claims)).toHaveLength(5)
  })
})

describe('an erased desk', () => {
  const erased = (final?: true): Event => ({
    type: 'DeskErased',
    data: { authority: 'court', reason: 'x', ...(final && { final }) },
  })

  it('holds nothing; with the article it is closed for ever', () => {
    expect(view(at(note('secret'), erased())).notes).toEqual([])
    at(erased())
      .when(command(AddNote, { text: 'new' }), { commandId: NOTE })
      .then(note('new'))
    for (const refused of [
      command(AddNote, { text: 'new' }),
      command(AssignArticle, { desk: 'x' }),
      new ClaimArticle(),
    ])
      at(erased(true)).when(refused).thenThrows('erased')
    at(erased(true))
      .when(command(ResolveNote, { noteId: NOTE }))
      .thenNothing()
  })
})

describe('erasing', () => {
  const word = { authority: 'District Court, 12 O 34/26', reason: 'A person must not be named.' }
  const erased: Event = { type: 'DeskErased', data: word }
  const closed: Event = { type: 'DeskErased', data: { ...word, final: true } }
  const erase = command(EraseDesk, { ...word, final: false })
  const close = command(EraseDesk, { ...word, final: true })

  it('happens once for what was said', () => {
    at(note('Jane Doe called.')).when(erase).then(erased)
    at(note('Jane Doe called.'), erased, note('Jane Doe called.')).when(erase).then(erased)
    at(note('x'), { type: 'DeskNoteResolved', data: { noteId: NOTE } })
      .when(erase)
      .then(erased)
    at(note('Jane Doe called.'), erased).when(erase).thenNothing()
    at().when(erase).thenNothing()
  })

  it('with the article is the end, whether anything was said or not', () => {
    for (const before of [[], [note('Jane Doe called.')], [note('Jane Doe called.'), erased]]) {
      at(...before)
        .when(close)
        .then(closed)
      for (const after of [close, erase])
        at(...before, closed)
          .when(after)
          .thenNothing()
      at(...before, closed)
        .when(command(AddNote, { text: 'more' }))
        .thenThrows('erased')
    }
  })
})
