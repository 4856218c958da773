// Writing an article, and the editors' view of it.
import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common'
import { AGGREGATES, Aggregates, NotFound } from '@stet/eventsourcing'
import {
  article as articleDecider,
  type Article,
  DraftArticle,
  EditorsArticleAnswer,
  editorsView,
  RelateArticles,
  ReviseArticle,
  SourceArticle,
} from '@stet/newsroom'
import { etagOf, matches } from '@stet/platform'
import { CommandAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, ArticleId, type Exchange, ToArticle, ToNewArticle, WithExchange } from './address'
import { Commands } from './commands'

@Controller('editorial/v1/articles')
export class ArticlesController {
  constructor(
    private readonly commands: Commands,
    @Inject(AGGREGATES) private readonly aggregates: Aggregates,
  ) {}

  @Post()
  @Describe({ id: 'draftArticle', summary: 'Begin an article', answer: CommandAnswer, status: 201 })
  draft(@Body() command: DraftArticle, @ToNewArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.create(command, to, id => `/editorial/v1/articles/${id}`)
  }

  @Post(':id/revise')
  @HttpCode(200)
  @Describe({
    id: 'reviseArticle',
    summary: 'Change the working copy',
    answer: CommandAnswer,
    ifMatch: 'required',
    merges: true,
  })
  revise(@Body() command: ReviseArticle, @ToArticle({ replaces: true }) to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/source')
  @HttpCode(200)
  @Describe({ id: 'sourceArticle', summary: 'Say where the report comes from', answer: CommandAnswer })
  source(@Body() command: SourceArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/relate')
  @HttpCode(200)
  @Describe({
    id: 'relateArticles',
    summary: 'Choose and block related articles',
    answer: CommandAnswer,
    ifMatch: 'required',
  })
  relate(@Body() command: RelateArticles, @ToArticle({ replaces: true }) to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Get(':id')
  @Describe({ id: 'getEditorsArticle', summary: 'An article at any stage', answer: EditorsArticleAnswer, etag: true })
  async article(
    @ArticleId() id: string,
    @WithExchange() { request, reply }: Exchange,
  ): Promise<EditorsArticleAnswer | undefined> {
    const loaded = await this.aggregates.load<Article>(articleDecider, id)
    if (!loaded) throw new NotFound(`there is no article ${id}`)
    const tag = etagOf(loaded.revision)
    void reply.headers({ etag: tag, 'cache-control': 'private, no-cache', 'stet-position': loaded.position })
    if (!matches(request.headers['if-none-match'], tag)) return editorsView(id, loaded)
    void reply.code(304)
    return undefined
  }
}
