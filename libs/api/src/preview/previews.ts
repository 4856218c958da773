// Articles as they will be shown: to editors, and to whoever has a link that an editor gave out.
import {
  type Aggregates,
  type Answered,
  NotFound,
  type QueryDefinition,
  type ReadSide,
  RuleBroken,
} from '@stet/eventsourcing'
import {
  type Article,
  article as articleDecider,
  GetPreview,
  type PageAnswer,
  previewOf,
  type Site,
  wouldBePublished,
} from '@stet/newsroom'
import { type SignedLinks } from '@stet/platform'

export interface PreviewParts {
  readonly aggregates: Aggregates
  readonly reading: ReadSide
  readonly site: Site
  readonly links: SignedLinks
}

/** Minutes that a link lasts, unless another time is asked for. */
export const LINK_MINUTES = 24 * 60

export class Previews {
  readonly #query: QueryDefinition<GetPreview, PageAnswer>

  constructor(private readonly parts: PreviewParts) {
    this.#query = previewOf(parts.site)
  }

  /** The page that publishing the working copy now would show; throws the rule that it would break. */
  async page(id: string): Promise<Answered<PageAnswer>> {
    return this.#pageOf(id, await this.#article(id))
  }

  /** A token for `open`, good for so many minutes. */
  async link(id: string, minutes = LINK_MINUTES): Promise<{ readonly token: string; readonly until: Date }> {
    assertWorkedOn(await this.#article(id), id)
    const until = new Date(Math.floor(Date.now() / 1_000) * 1_000 + minutes * 60_000)
    return { token: await this.parts.links.sign(id, until), until }
  }

  /** The page that a token opens, as it is now; throws NotFound when it opens none (any more), whatever the reason. */
  async open(token: string): Promise<Answered<PageAnswer>> {
    const id = await this.parts.links.idOf(token, new Date())
    if (id === null) throw ended()
    const loaded = await this.parts.aggregates.load<Article>(articleDecider, id)
    if (!loaded || loaded.state.stage === 'spiked' || loaded.state.stage === 'erased') throw ended()
    return this.#pageOf(id, loaded.state)
  }

  async #article(id: string): Promise<Article> {
    const loaded = await this.parts.aggregates.load<Article>(articleDecider, id)
    if (!loaded) throw new NotFound(`there is no article ${id}`)
    return loaded.state
  }

  #pageOf(id: string, article: Article): Promise<Answered<PageAnswer>> {
    const wouldBe = wouldBePublished(article, id, new Date().toISOString())
    return this.parts.reading.answer(this.#query, new GetPreview(id, wouldBe))
  }
}

const assertWorkedOn = ({ stage }: Article, id: string): void => {
  if (stage === 'spiked' || stage === 'erased')
    throw new RuleBroken(stage, `article ${id} is ${stage}: there is nothing to show of it`)
}

const ended = () => new NotFound('there is no such preview, or it has ended')
