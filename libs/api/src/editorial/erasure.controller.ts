// Erasing and redacting an article: asked twice, the first time only to be told what would go.
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common'
import { AGGREGATES, Aggregates, type Envelope, NotFound } from '@stet/eventsourcing'
import {
  type Article,
  article as articleDecider,
  confirmationFor,
  desk as deskDecider,
  editorsView,
  type EditorsArticleAnswer,
  erasable,
  EraseArticle,
  EraseDesk,
  RedactArticle,
  redacted,
} from '@stet/newsroom'
import { v5 as uuidv5 } from 'uuid'
import { ErasureAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, ToArticle } from './address'
import { Commands } from './commands'

@Controller('editorial/v1/articles')
export class ErasureController {
  constructor(
    private readonly commands: Commands,
    @Inject(AGGREGATES) private readonly aggregates: Aggregates,
  ) {}

  @Post(':id/redact')
  @HttpCode(200)
  @Describe({ id: 'redactArticle', summary: 'Erase the history and replace fields for good', answer: ErasureAnswer })
  redact(@Body() command: RedactArticle, @ToArticle() to: Address): Promise<ErasureAnswer> {
    return command.confirmation
      ? this.perform(command, to, command.desk === true)
      : this.preview('RedactArticle', command, to)
  }

  @Post(':id/erase')
  @HttpCode(200)
  @Describe({ id: 'eraseArticle', summary: 'Erase the article for good', answer: ErasureAnswer })
  erase(@Body() command: EraseArticle, @ToArticle() to: Address): Promise<ErasureAnswer> {
    return command.confirmation ? this.perform(command, to, true) : this.preview('EraseArticle', command, to)
  }

  /** First what readers see, then the desk; the same call again finishes what a crash between the two left. */
  private async perform(command: RedactArticle | EraseArticle, to: Address, desk: boolean): Promise<ErasureAnswer> {
    const address = { ...to, envelope: repeatable(to.envelope, command.confirmation ?? '') }
    const outcome = await this.commands.send(command, address)
    if (desk) {
      const { authority, reason } = command
      const erase = Object.assign(new EraseDesk(), { authority, reason, final: command instanceof EraseArticle })
      await this.commands.follow(erase, address, outcome.id)
    }
    return { ...outcome, done: true, preview: null }
  }

  private async preview(
    name: 'RedactArticle' | 'EraseArticle',
    command: RedactArticle | EraseArticle,
    { envelope, reply }: Address,
  ): Promise<ErasureAnswer> {
    const { key, actor, at } = envelope
    const loaded = await this.aggregates.load<Article>(articleDecider, key)
    if (!loaded) throw new NotFound(`there is no article ${key}`)
    const { state, revision, position, events } = loaded
    erasable(state, key)
    const desk = await this.aggregates.load(deskDecider, key)
    void reply.header('cache-control', 'no-store')
    return {
      id: key,
      revision,
      position,
      done: false,
      preview: {
        ...confirmationFor(name, command, { key, revision, actor, at }),
        events,
        deskEvents: command instanceof RedactArticle && command.desk !== true ? 0 : (desk?.events ?? 0),
        remains: command instanceof RedactArticle ? remaining(command, state, envelope, revision) : null,
      },
    }
  }
}

/** The editors' view as it would be. */
const remaining = (
  command: RedactArticle,
  article: Article,
  { key, at }: Pick<Envelope, 'key' | 'at'>,
  before: number,
): EditorsArticleAnswer => {
  const revision = before + 1
  const event = { ...redacted(command, article, { key, at }), revision }
  const state = articleDecider.evolve.ArticleRedacted(article, event as never)
  return editorsView(key, { state, revision })
}

/** Whoever repeats a confirmed request, without a key of their own too, means the same command. */
const repeatable = ({ fresh, ...envelope }: Envelope, confirmation: string): Envelope => ({
  ...envelope,
  ...(fresh && { commandId: uuidv5(`${envelope.actor} ${envelope.key} ${confirmation}`, CONFIRMED) }),
})

/** Namespace, fixed for ever: repeats of earlier commands are recognised by it. */
const CONFIRMED = '5d0e6a1b-3c47-5f92-8b61-9e2f7a4c0d33'
