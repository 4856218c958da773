// The read model of related articles: a vector of terms per live article, and its list, kept up as articles appear.
import { type Computation, type ComputedProjection, type RecordedEvent } from '@stet/eventsourcing'
import { type LiveContent } from '../article/content'
import { ignoreWorking } from '../article/events'
import { shownBy } from '../article/shown'
import { ignoreDesk } from '../desk/events'
import { ignoreLists } from '../lists/events'
import { ignoreFounding, type NewsroomEvents } from '../newsroom'
import { ignoreSlugs } from '../slugs/events'
import { primaryLanguage } from '../text/source-line'
import { ignoreViews } from '../views/events'
import { byCodeUnits, Corpus, type Similar, type Vector } from './corpus'
import { PLACES } from './lists'
import { termsOf } from './terms'

/** Of an article's candidates, the best by text: they make its list, and it may enter theirs. */
const CANDIDATES = 30
/** Places that readers see. */
export const RELATED_SHOWN = 10
/** Shared terms that say why. */
const TERMS_SHOWN = 5
/** Days after which the part of a score that fades has halved; the other half never fades. */
const HALF_LIFE = 60
/** Each shared tag adds this much to a score, for at most three tags. */
const TAG_BONUS = 0.05
const TAGS_COUNTED = 3
const SCALE = 1e6

/** One place of a list. */
export interface RelatedEntry {
  readonly id: string
  /** Millionths. */
  readonly score: number
  /** Shared terms, those that weigh most first, joined by spaces. */
  readonly terms: string
  /** Slugs of shared tags. */
  readonly tags: readonly string[]
}

/** One live article. Texts instead of arrays of words: BSON costs five times as much for each element. */
export interface RelatedDocument {
  readonly _id: string
  /** Position of the publication, padded so that it sorts as text: the order in which the cache is rebuilt. */
  readonly order: string
  /** Primary language; articles of another one are never related. */
  readonly language: string
  /** Milliseconds since 1970. */
  readonly publishedAt: number
  /** Number of words. */
  readonly length: number
  /** The terms that are compared, each followed by its occurrences: `bosni 3 treat 2`. */
  readonly terms: string
  /** The article's other terms; how common a term is can be counted from the documents alone. */
  readonly others: string
  readonly tags: readonly string[]
  /** Best first, at most 20. */
  readonly list: readonly RelatedEntry[]
}

/**
 * The definition is in the docs. What happens when an article goes: it leaves every list that holds it; a list that is
 * left with fewer places than are shown is computed anew from what is live then. A republished article leaves as well,
 * comes back as the newest one and is compared again with the articles whose lists held it.
 */
export const related: ComputedProjection<RelatedDocument, NewsroomEvents> = {
  kind: 'computed',
  name: 'related',
  version: 1,
  group: 'related',
  indexes: [{ key: { order: 1, _id: 1 } }],
  on: {
    ...ignoreFounding,
    ...ignoreWorking,
    ...ignoreDesk,
    ArticlePublished: 'fold',
    ArticleCorrected: 'fold',
    ArticleAmended: 'fold',
    ArticleUnpublished: 'fold',
    ArticleRetracted: 'fold',
    ArticleRedacted: 'fold',
    ArticleErased: 'fold',
    ...ignoreLists,
    ...ignoreSlugs,
    ...ignoreViews,
  },
  open: async documents => {
    const relation = new Relation()
    for await (const document of documents({ order: 1, _id: 1 })) relation.restore(document)
    relation.restored()
    return relation
  },
}

/** What is computed to be related to an article, best first; more than are shown, since some may not be live any more. */
export const computedRelated = (
  document: RelatedDocument,
): { readonly id: string; readonly score: number; readonly terms: string[]; readonly tags: string[] }[] =>
  document.list.map(({ id, score, terms, tags }) => ({
    id,
    score,
    terms: terms === '' ? [] : terms.split(' '),
    tags: [...tags],
  }))

type Load = Parameters<Computation<RelatedDocument, NewsroomEvents>['fold']>[1]
type Why = Pick<RelatedEntry, 'terms' | 'tags'>

/** The articles of all languages in memory. */
class Relation implements Computation<RelatedDocument, NewsroomEvents> {
  private readonly corpora = new Map<string, Corpus>()
  private unlinked: { corpus: Corpus; slot: number; list: readonly RelatedEntry[] }[] = []

  restore(document: RelatedDocument): void {
    const corpus = this.corpus(document.language)
    const slot = corpus.add(vectorOf(document))
    this.unlinked.push({ corpus, slot, list: document.list })
  }

  /** Lists name articles that may come later in the order of publication: they are linked last. */
  restored(): void {
    for (const { corpus, slot, list } of this.unlinked) {
      for (const { id, score } of list) {
        const other = corpus.slotOf(id)
        if (other === undefined) throw new Error(`the list of ${corpus.idOf(slot)} holds ${id}, which is not live`)
        corpus.lists.enter(slot, other, score)
      }
    }
    this.unlinked = []
  }

  async fold(events: readonly RecordedEvent<NewsroomEvents>[], load: Load) {
    const known = new Set(events.map(({ key }) => key).filter(key => this.find(key)))
    const batch = new Batch(new Map(await load([...known])))
    for (const event of events) {
      const live = shownBy(event)
      if (live) this.publish(event, live, batch)
      else if (live === null) this.unpublish(event.key, batch)
    }
    for (const [id, document] of await load(batch.missing())) batch.before.set(id, document)
    return batch.changed(id => this.listOf(id))
  }

  private publish({ key: id, at, position }: RecordedEvent<NewsroomEvents>, data: LiveContent, batch: Batch) {
    const left = this.remove(id, batch)
    const language = primaryLanguage(data.language)
    const corpus = this.corpus(language)
    const { occurrences, length } = termsOf(data)
    const published = Date.parse(data.publishedAt)
    const vector: Vector = {
      id,
      ...corpus.choose(occurrences, length),
      length,
      publishedAt: Number.isNaN(published) ? Date.parse(at) : published,
      tags: [...new Set(data.tags.map(({ slug }) => slug))].sort(byCodeUnits),
    }
    const slot = corpus.add(vector)
    batch.put(documentOf(vector, position.padStart(20, '0'), language))
    const holders = new Set(left?.corpus === corpus ? left.holders : [])
    const { best, also } = corpus.similar(slot, CANDIDATES, holders)
    this.fill(corpus, slot, best, batch)
    const others = new Map([...best, ...also].map(candidate => [candidate.slot, candidate]))
    for (const candidate of others.values()) {
      const score = scoreOf(corpus, slot, candidate)
      if (score === 0 || !corpus.lists.enter(candidate.slot, slot, score)) continue
      batch.relist(corpus.idOf(candidate.slot), id, whyOf(corpus, slot, candidate.slot))
      holders.delete(candidate.slot)
    }
    if (left) this.refill(left.corpus, left.corpus === corpus ? [...holders] : left.holders, batch)
  }

  private unpublish(id: string, batch: Batch): void {
    const left = this.remove(id, batch)
    if (left) this.refill(left.corpus, left.holders, batch)
  }

  private remove(id: string, batch: Batch): { corpus: Corpus; holders: number[] } | null {
    const corpus = this.find(id)
    const document = batch.current(id)
    if (!corpus || !document) return null
    const holders = corpus.remove(vectorOf(document))
    for (const holder of holders) batch.relist(corpus.idOf(holder))
    batch.remove(id)
    return { corpus, holders }
  }

  /** Computes the lists anew that have lost a place and are too short now. */
  private refill(corpus: Corpus, slots: readonly number[], batch: Batch): void {
    for (const slot of slots) {
      if (corpus.lists.of(slot).length >= RELATED_SHOWN) continue
      corpus.lists.clear(slot)
      this.fill(corpus, slot, corpus.similar(slot, CANDIDATES).best, batch)
    }
  }

  /** Makes an article's list, which is empty, of its best candidates. */
  private fill(corpus: Corpus, slot: number, best: readonly Similar[], batch: Batch): void {
    const id = corpus.idOf(slot)
    batch.relist(id)
    for (const candidate of best) {
      const score = scoreOf(corpus, slot, candidate)
      if (score > 0) corpus.lists.enter(slot, candidate.slot, score)
    }
    for (const { slot: other } of corpus.lists.of(slot))
      batch.relist(id, corpus.idOf(other), whyOf(corpus, slot, other))
  }

  private listOf(id: string): { readonly id: string; readonly score: number }[] {
    const corpus = this.find(id)
    const slot = corpus?.slotOf(id)
    if (!corpus || slot === undefined) return []
    return corpus.lists.of(slot).map(({ slot: other, score }) => ({ id: corpus.idOf(other), score }))
  }

  private find(id: string): Corpus | undefined {
    for (const corpus of this.corpora.values()) if (corpus.slotOf(id) !== undefined) return corpus
    return undefined
  }

  private corpus(language: string): Corpus {
    let corpus = this.corpora.get(language)
    if (!corpus) this.corpora.set(language, (corpus = new Corpus()))
    return corpus
  }
}

/** What one batch changes: vectors at once, lists at its end from what the corpus then holds. */
class Batch {
  private readonly vectors = new Map<string, RelatedDocument | null>()
  private readonly relisted = new Set<string>()
  private readonly reasons = new Map<string, Map<string, Why>>()

  /** `before`: committed documents, as far as they were needed. */
  constructor(readonly before: Map<string, RelatedDocument>) {}

  current(id: string): RelatedDocument | null {
    const changed = this.vectors.get(id)
    return changed === undefined ? (this.before.get(id) ?? null) : changed
  }

  put(document: RelatedDocument): void {
    this.vectors.set(document._id, document)
  }

  remove(id: string): void {
    this.vectors.set(id, null)
    this.relisted.delete(id)
    this.reasons.delete(id)
  }

  /** The list of an article has changed: `entrant` is new in it. */
  relist(id: string, entrant?: string, why?: Why): void {
    this.relisted.add(id)
    if (entrant === undefined || !why) return
    let reasons = this.reasons.get(id)
    if (!reasons) this.reasons.set(id, (reasons = new Map<string, Why>()))
    reasons.set(entrant, why)
  }

  /** Ids whose documents are needed to write their changed lists. */
  missing(): string[] {
    return [...this.relisted].filter(id => !this.vectors.get(id) && !this.before.has(id))
  }

  changed(listOf: (id: string) => readonly { readonly id: string; readonly score: number }[]) {
    const changed = new Map<string, RelatedDocument | null>()
    for (const [id, vector] of this.vectors) if (vector === null) changed.set(id, null)
    for (const id of this.relisted) {
      const document = this.current(id)
      if (!document) throw new Error(`the article ${id} has a list and no vector`)
      const reasons = this.reasons.get(id)
      const former = new Map(document.list.map(entry => [entry.id, entry]))
      const list = listOf(id).map(({ id: other, score }): RelatedEntry => {
        const why = reasons?.get(other) ?? former.get(other)
        if (!why) throw new Error(`nothing says why ${other} is related to ${id}`)
        return { id: other, score, terms: why.terms, tags: why.tags }
      })
      changed.set(id, { ...document, list })
    }
    return changed
  }
}

/** Millionths: similarity of the texts, fading with the time between both publications, and the bonus for tags. */
const scoreOf = (corpus: Corpus, slot: number, { slot: other, similarity }: Similar): number => {
  const days = Math.abs(corpus.publishedAt(slot) - corpus.publishedAt(other)) / 86_400_000
  const fading = 0.5 + 0.5 * 2 ** (-days / HALF_LIFE)
  const tags = Math.min(sharedTags(corpus, slot, other).length, TAGS_COUNTED)
  return Math.round((similarity * fading + TAG_BONUS * tags) * SCALE)
}

const sharedTags = (corpus: Corpus, slot: number, other: number): readonly string[] => {
  const tags = corpus.tagsOf(slot)
  const theirs = corpus.tagsOf(other)
  return tags.length === 0 || theirs.length === 0 ? [] : tags.filter(tag => theirs.includes(tag))
}

const whyOf = (corpus: Corpus, slot: number, other: number): Why => ({
  terms: corpus.shared(slot, other, TERMS_SHOWN).join(' '),
  tags: sharedTags(corpus, slot, other),
})

const documentOf = (vector: Vector, order: string, language: string): RelatedDocument => ({
  _id: vector.id,
  order,
  language,
  publishedAt: vector.publishedAt,
  length: vector.length,
  terms: vector.terms.flat().join(' '),
  others: vector.others.join(' '),
  tags: vector.tags,
  list: [],
})

const vectorOf = ({ _id, terms, others, length, publishedAt, tags }: RelatedDocument): Vector => {
  const words = terms === '' ? [] : terms.split(' ')
  return {
    id: _id,
    terms: Array.from({ length: words.length / 2 }, (_, i) => [words[2 * i] ?? '', Number(words[2 * i + 1])] as const),
    others: others === '' ? [] : others.split(' '),
    length,
    publishedAt,
    tags,
  }
}

/** How many places of a list are stored. */
export const RELATED_STORED = PLACES
