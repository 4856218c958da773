// The desk of an article: talk and work around it, in a stream of its own.
import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common'
import { AGGREGATES, Aggregates, NotFound } from '@stet/eventsourcing'
import {
  AddNote,
  article as articleDecider,
  AssignArticle,
  ClaimArticle,
  desk as deskDecider,
  type Desk,
  DeskAnswer,
  DeskArticlesAnswer,
  DeskCountsAnswer,
  deskView,
  GetDeskArticles,
  GetDeskCounts,
  noDesk,
  ReleaseClaim,
  ResolveNote,
  SetDue,
} from '@stet/newsroom'
import { etagOf, Question } from '@stet/platform'
import { CommandAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, ArticleId, type Exchange, ToDesk, WithExchange } from './address'
import { Commands } from './commands'
import { EditorsReads } from './editors-reads'

@Controller('editorial/v1/articles')
export class DeskController {
  constructor(
    private readonly commands: Commands,
    private readonly reads: EditorsReads,
    @Inject(AGGREGATES) private readonly aggregates: Aggregates,
  ) {}

  @Post(':id/notes')
  @HttpCode(200)
  @Describe({ id: 'addNote', summary: 'Say something to whoever works on the article', answer: CommandAnswer })
  note(@Body() command: AddNote, @ToDesk() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/notes/resolve')
  @HttpCode(200)
  @Describe({ id: 'resolveNote', summary: 'A note has been dealt with', answer: CommandAnswer })
  resolve(@Body() command: ResolveNote, @ToDesk() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/assign')
  @HttpCode(200)
  @Describe({ id: 'assignArticle', summary: 'Give the article to a desk and a person', answer: CommandAnswer })
  assign(@Body() command: AssignArticle, @ToDesk() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/due')
  @HttpCode(200)
  @Describe({ id: 'setDue', summary: 'Say until when the article is wanted', answer: CommandAnswer })
  due(@Body() command: SetDue, @ToDesk() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/claim')
  @HttpCode(200)
  @Describe({ id: 'claimArticle', summary: 'Let the others know that one is editing it', answer: CommandAnswer })
  claim(@Body() command: ClaimArticle, @ToDesk() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/release')
  @HttpCode(200)
  @Describe({ id: 'releaseClaim', summary: 'Let the others know that one is done', answer: CommandAnswer })
  release(@Body() command: ReleaseClaim, @ToDesk() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Get()
  @Describe({
    id: 'listDeskArticles',
    summary: 'Articles at any stage',
    answer: DeskArticlesAnswer,
    waits: true,
  })
  list(@Question() query: GetDeskArticles, @WithExchange() exchange: Exchange): Promise<DeskArticlesAnswer> {
    return this.reads.answer(query, exchange)
  }

  @Get('counts')
  @Describe({
    id: 'countDeskArticles',
    summary: 'How many articles there are at each stage and review status',
    answer: DeskCountsAnswer,
    waits: true,
  })
  counts(@Question() query: GetDeskCounts, @WithExchange() exchange: Exchange): Promise<DeskCountsAnswer> {
    return this.reads.answer(query, exchange)
  }

  @Get(':id/desk')
  @Describe({ id: 'getDesk', summary: 'Notes, assignment and who is editing', answer: DeskAnswer })
  async desk(@ArticleId() id: string, @WithExchange() { reply }: Exchange): Promise<DeskAnswer> {
    const [article, loaded] = await Promise.all([
      this.aggregates.load(articleDecider, id),
      this.aggregates.load<Desk>(deskDecider, id),
    ])
    if (!article) throw new NotFound(`there is no article ${id}`)
    const { revision, position } = loaded ?? article
    void reply.headers({ 'cache-control': 'private, no-store', 'stet-position': position })
    // Claims end as time passes: the tag stands for the stream, not for this answer.
    if (loaded) void reply.header('etag', etagOf(revision))
    return deskView(id, loaded ?? { state: noDesk, revision: -1 }, new Date())
  }
}
