// The definition of related articles as it is published, computed in the plainest way: everything is counted anew from
// all live articles for each publication. It imports nothing of the read model.

/** A publication, or (without a text) the end of one. */
export interface Step {
  readonly id: string
  readonly text: {
    readonly body: string
    readonly language: string
    readonly tags: readonly string[]
    readonly publishedAt: string
  } | null
}

export interface Place {
  readonly id: string
  /** Similarity with the age and the tags, not yet rounded. */
  readonly score: number
  /** The top shared terms, those that weigh most first. */
  readonly terms: readonly string[]
  readonly tags: readonly string[]
}

interface Article {
  readonly id: string
  readonly language: string
  /** Occurrences of all terms. */
  readonly all: ReadonlyMap<string, number>
  /** Of those that are compared, as of the publication. */
  readonly kept: ReadonlyMap<string, number>
  readonly length: number
  readonly tags: readonly string[]
  readonly publishedAt: number
}

const K1 = 1.2
const B = 0.75

/** The lists of all live articles after these steps, best first. */
export const relatedByDefinition = (steps: readonly Step[]): ReadonlyMap<string, readonly Place[]> => {
  /** In the order of publication. */
  let live: Article[] = []
  const lists = new Map<string, Place[]>()
  const ofLanguage = (language: string) => live.filter(article => article.language === language)

  /** Computes an article's list, which its best 30 candidates make. */
  const fill = (article: Article, candidates: readonly Compared[]) =>
    lists.set(article.id, best(candidates.slice(0, 30).map(one => place(article, one))))

  for (const { id, text } of steps) {
    const left = live.some(article => article.id === id)
    const holders = new Set([...lists].filter(([, list]) => list.some(place => place.id === id)).map(([id]) => id))
    live = live.filter(article => article.id !== id)
    lists.delete(id)
    for (const [holder, list] of lists)
      lists.set(
        holder,
        list.filter(place => place.id !== id),
      )
    if (text) {
      const language = text.language.split('-')[0] ?? ''
      const article = taken(id, text, language, ofLanguage(language))
      live.push(article)
      const candidates = compared(article, ofLanguage(language))
      fill(article, candidates)
      // It enters any list that it beats: of its candidates, and of those that held it before.
      for (const [rank, one] of candidates.entries()) {
        if (rank >= 30 && !holders.has(one.other.id)) continue
        const entrant = { ...place(article, one), id }
        const list = best([...(lists.get(one.other.id) ?? []), entrant])
        lists.set(one.other.id, list)
        if (list.includes(entrant)) holders.delete(one.other.id)
      }
    }
    if (!left) continue
    for (const article of live.filter(({ id }) => holders.has(id)))
      if (lists.get(article.id)!.length < 10) fill(article, compared(article, ofLanguage(article.language)))
  }
  return lists
}

const taken = (id: string, text: NonNullable<Step['text']>, language: string, others: readonly Article[]): Article => {
  const words =
    text.body
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  const all = new Map<string, number>()
  for (const word of words) {
    const term = [...word].slice(0, 5).join('')
    all.set(term, (all.get(term) ?? 0) + 1)
  }
  const article = {
    id,
    language,
    all,
    kept: all,
    length: words.length,
    tags: [...new Set(text.tags)].sort(),
    publishedAt: Date.parse(text.publishedAt),
  }
  const corpus = counted([...others, article])
  const weight = (term: string) => corpus.idf(term) * corpus.bm25(article, term)
  const kept = [...all.keys()]
    .filter(term => !corpus.common(term))
    .map(term => ({ term, weight: weight(term) }))
    .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
    .slice(0, 60)
    .map(({ term }) => term)
  return { ...article, kept: new Map(kept.sort().map(term => [term, all.get(term) ?? 0])) }
}

/** What is counted over all articles of a language. */
const counted = (articles: readonly Article[]) => {
  const size = articles.length
  const average = articles.reduce((sum, { length }) => sum + length, 0) / size
  const frequencies = new Map<string, number>()
  for (const { all } of articles) for (const term of all.keys()) frequencies.set(term, (frequencies.get(term) ?? 0) + 1)
  const frequency = (term: string) => frequencies.get(term) ?? 0
  return {
    /** More than a quarter of the articles have it, and more than two. */
    common: (term: string) => frequency(term) > Math.max(2, size / 4),
    idf: (term: string) => Math.log(1 + (size - frequency(term) + 0.5) / (frequency(term) + 0.5)),
    bm25: ({ length, all }: Article, term: string) => {
      const tf = all.get(term) ?? 0
      return (tf * (K1 + 1)) / (tf + K1 * (1 - B + (B * length) / average))
    },
  }
}

interface Compared {
  readonly other: Article
  readonly similarity: number
  /** What each shared term adds. */
  readonly terms: readonly { readonly term: string; readonly weight: number }[]
}

/** The others that share a term, the most similar first. */
const compared = (article: Article, articles: readonly Article[]): Compared[] => {
  const corpus = counted(articles)
  const postings = [...article.kept.keys()]
    .filter(term => !corpus.common(term))
    .map(term => {
      const newest = articles.filter(({ kept }) => kept.has(term)).slice(-2_000)
      return { term, newest: new Set(newest) }
    })
  const shares = (other: Article) =>
    postings
      .filter(({ newest }) => newest.has(other))
      .map(({ term }) => ({
        term,
        weight: article.kept.get(term)! * corpus.idf(term) * corpus.bm25(other, term),
      }))
  const self = (one: Article) =>
    [...one.kept]
      .filter(([term]) => !corpus.common(term))
      .reduce((sum, [term, qtf]) => sum + qtf * corpus.idf(term) * corpus.bm25(one, term), 0)
  return articles
    .filter(other => other !== article)
    .map(other => ({ other, terms: shares(other) }))
    .filter(({ terms }) => terms.length > 0)
    .map(({ other, terms }) => {
      const sum = terms.reduce((sum, { weight }) => sum + weight, 0)
      return { other, terms, similarity: sum / Math.sqrt(self(article) * self(other)) }
    })
    .sort((a, b) => b.similarity - a.similarity || (a.other.id < b.other.id ? -1 : 1))
}

const place = (article: Article, { other, similarity, terms }: Compared): Place => {
  const days = Math.abs(article.publishedAt - other.publishedAt) / 86_400_000
  const tags = article.tags.filter(tag => other.tags.includes(tag))
  return {
    id: other.id,
    score: similarity * (0.5 + 0.5 * 2 ** (-days / 60)) + 0.05 * Math.min(3, tags.length),
    terms: [...terms]
      .sort((a, b) => b.weight - a.weight || (a.term < b.term ? -1 : 1))
      .slice(0, 5)
      .map(({ term }) => term),
    tags,
  }
}

/** The twenty that are stored; scores are compared in millionths. */
const best = (places: readonly Place[]): Place[] => {
  const millionths = ({ score }: Place) => Math.round(score * 1e6)
  return places
    .filter(place => millionths(place) > 0)
    .sort((a, b) => millionths(b) - millionths(a) || (a.id < b.id ? -1 : 1))
    .slice(0, 20)
}
