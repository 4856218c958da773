// Answers queries from the read models of this process's versions. The only clock of a query is read here.
import { LRUCache } from 'lru-cache'
import { Unavailable } from '../errors'
import { comparePositions } from '../event'
import {
  type Answered,
  type AnyProjection,
  awaitedBy,
  type Document,
  type Documents,
  type QueryDefinition,
  type ReadModels,
} from '../projection'
import { Checkpoints, type Knowledge, PATIENCE } from './checkpoints'
import { type ReadSideOptions, type RunningReadSide } from './contract'
import { GenerationDocuments } from './generation-documents'
import { Reading } from './reading'
import { lowest } from './status'

/** Milliseconds that an answer may be kept at most, and how many answers of one query are. */
const KEPT = 1_000
const KEPT_ANSWERS = 500
/** Milliseconds without a step after which a group that is behind counts as halted; a batch takes two seconds at most. */
const STILL = 10_000

/** Opens the read side; nothing has to be reachable yet. */
export const readSide = (options: ReadSideOptions): RunningReadSide => new ReadModelsOfProcess(options)

interface Kept {
  readonly until: number
  readonly answered: Promise<Made<unknown>>
}

interface Made<Answer> extends Answered<Answer> {
  readonly standing: Reading
}

class ReadModelsOfProcess implements RunningReadSide {
  private readonly checkpoints: Checkpoints
  /** By name of the collection. */
  private readonly documents = new Map<string, GenerationDocuments>()
  private readonly kept = new WeakMap<object, LRUCache<string, Kept>>()
  private readonly caughtUp = new Set<string>()
  /** Where the groups stood that had not caught up, since when they stand there. */
  private readonly seen = new Map<string, { readonly position: string | null; readonly since: number }>()

  constructor(private readonly options: ReadSideOptions) {
    this.checkpoints = new Checkpoints(options, now => {
      this.adopt(now)
    })
  }

  answer<Q extends object, Answer>(definition: QueryDefinition<Q, Answer>, query: Q): Promise<Answered<Answer>> {
    const { position, asOf } = awaitedBy(query)
    const plain = position === undefined && asOf === undefined
    return plain
      ? this.keeping(definition, query, () => this.compute(definition, query, undefined, new Date(), true))
      : this.compute(definition, query, position, asOf ?? new Date(), false)
  }

  async ready(): Promise<boolean> {
    const { log, projections, groups } = this.options
    try {
      const { generations, positions } = await this.checkpoints.current()
      if (projections.some(({ name }) => !generations.has(name))) return false
      for (const [group, position] of positions) {
        if (!log || this.caughtUp.has(group)) continue
        const isBehind = (await log.nothingAfter(position, { categories: groups[group] ?? [] })) === null
        if (isBehind && !this.standsStill(group, position)) return false
        this.caughtUp.add(group)
      }
      return true
    } catch {
      return false
    }
  }

  /** A group that does not move while there is more to do has halted: old answers are better than none. */
  private standsStill(group: string, position: string | null): boolean {
    const known = this.seen.get(group)
    if (known?.position === position) return performance.now() - known.since > STILL
    this.seen.set(group, { position, since: performance.now() })
    return false
  }

  refresh(): void {
    this.checkpoints.refresh()
  }

  stop(): void {
    this.checkpoints.stop()
  }

  /** Equal queries share an answer that stands, for as long as their definition allows; a failure is not kept. */
  private async keeping<Q extends object, Answer>(
    definition: QueryDefinition<Q, Answer>,
    query: Q,
    compute: () => Promise<Made<Answer>>,
  ): Promise<Made<Answer>> {
    const keep = Math.min(definition.keep ?? 0, KEPT)
    if (keep <= 0) return compute()
    let answers = this.kept.get(definition)
    if (!answers) this.kept.set(definition, (answers = new LRUCache<string, Kept>({ max: KEPT_ANSWERS })))
    const id = JSON.stringify(query)
    for (;;) {
      const known = answers.get(id)
      if (!known || known.until <= performance.now()) break
      // Kept by this very definition for an equal query: the answer is of its type.
      const answered = (await known.answered) as Made<Answer>
      if (answered.standing.holds() !== null) return answered
      if (answers.peek(id) === known) answers.delete(id)
    }
    const answered = compute()
    const entry = { until: performance.now() + keep, answered }
    answers.set(id, entry)
    answered.catch(() => {
      if (answers.peek(id) === entry) answers.delete(id)
    })
    return answered
  }

  private async compute<Q extends object, Answer>(
    definition: QueryDefinition<Q, Answer>,
    query: Q,
    position: string | undefined,
    asOf: Date,
    keep: boolean,
  ): Promise<Made<Answer>> {
    const groups = [...new Set(definition.reads.map(({ group }) => group))]
    const known =
      position === undefined ? await this.checkpoints.current() : await this.checkpoints.reached(groups, position)
    // Read before the documents: they hold at least this.
    const held = lowest(groups.map(group => known.positions.get(group) ?? null)) ?? '0'
    // What drifts is as old as it was when it was read, however far the others are.
    const advancing = definition.drifting ? [] : groups
    const standing = new Reading(advancing, () => this.checkpoints.latest, held)
    const answer = await bounded(definition.answer(query, this.models(known, definition, standing, asOf, keep), asOf))
    const awaited = position !== undefined && comparePositions(held, position) < 0 ? position : held
    return { answer, position: awaited, standing }
  }

  private models(
    known: Knowledge,
    { drifting = [] }: Pick<QueryDefinition<never, unknown>, 'drifting'>,
    standing: Reading,
    asOf: Date,
    keep: boolean,
  ): ReadModels {
    const of = (projection: AnyProjection): Documents<Document> => {
      const documents = this.documentsOf(known, projection)
      return drifting.includes(projection) ? documents : standing.of(documents, projection.name)
    }
    return {
      // A document is of the type that its projection says; the type is erased in between.
      of: of as ReadModels['of'],
      holdsUntil: time => {
        standing.endAt(time)
      },
      ask: async (definition, query) => {
        const compute = () => this.compute(definition, query, undefined, asOf, keep)
        const made = await (keep ? this.keeping(definition, query, compute) : compute())
        standing.include(made.standing)
        return made.answer
      },
    }
  }

  private documentsOf(known: Knowledge, { name, cached = 0 }: AnyProjection): GenerationDocuments {
    const generation = known.generations.get(name)
    if (!generation) throw new Unavailable('read model', `${name} has not been built yet: is a projector running?`, 5)
    const { _id } = generation.checkpoint
    let documents = this.documents.get(_id)
    if (!documents) {
      documents = new GenerationDocuments(this.options.documents.db.collection<Document>(_id), cached)
      this.documents.set(_id, documents)
    }
    return documents
  }

  /** Drops what has changed, and what is kept of a generation that was replaced. */
  private adopt({ at, generations, changed }: Knowledge): void {
    const replaced = new Set(this.documents.keys())
    for (const [name, { checkpoint }] of generations) {
      replaced.delete(checkpoint._id)
      this.documents.get(checkpoint._id)?.outdate(changed.get(name) ?? [])
    }
    for (const id of replaced) {
      this.documents.get(id)?.outdate(null)
      this.documents.delete(id)
    }
    if (this.options.onLook?.({ began: at })) this.checkpoints.touch()
  }
}

/** A store that accepts a request and never answers is as good as gone. */
const bounded = async <T>(answer: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Unavailable('document store', `the document store did not answer within ${PATIENCE / 1000} s`))
    }, PATIENCE)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
