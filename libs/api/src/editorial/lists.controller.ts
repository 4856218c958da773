// Commands to curated lists, and lists as editors see them.
import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common'
import { AGGREGATES, Aggregates } from '@stet/eventsourcing'
import {
  ChangeList,
  CreateList,
  curatedList,
  type CuratedList,
  EditorsListAnswer,
  EditorsListsAnswer,
  FeatureArticle,
  GetEditorsList,
  GetEditorsLists,
  MoveArticle,
  PinArticle,
  ReorderList,
  TimeFeature,
  UnfeatureArticle,
  UnpinArticle,
} from '@stet/newsroom'
import { etagOf, Question } from '@stet/platform'
import { CommandAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, type Exchange, ListName, ToList, WithExchange } from './address'
import { Commands } from './commands'
import { EditorsReads } from './editors-reads'

@Controller('editorial/v1/lists')
export class ListsController {
  constructor(
    private readonly commands: Commands,
    private readonly reads: EditorsReads,
    @Inject(AGGREGATES) private readonly aggregates: Aggregates,
  ) {}

  @Get()
  @Describe({ id: 'listEditorsLists', summary: 'All curated lists', answer: EditorsListsAnswer, waits: true })
  lists(@Question() query: GetEditorsLists, @WithExchange() exchange: Exchange): Promise<EditorsListsAnswer> {
    return this.reads.answer(query, exchange)
  }

  /** Its ETag is for If-Match alone: what is shown changes with the time and with the articles, not only by revisions. */
  @Get(':list')
  @Describe({ id: 'getEditorsList', summary: 'A list with all its entries', answer: EditorsListAnswer, waits: true })
  async list(@ListName() list: string, @WithExchange() exchange: Exchange): Promise<EditorsListAnswer> {
    const loaded = await this.aggregates.load<CuratedList>(curatedList, list)
    if (loaded) void exchange.reply.header('etag', etagOf(loaded.revision))
    return this.reads.answer(new GetEditorsList(list, loaded), exchange)
  }

  @Post(':list/create')
  @Describe({ id: 'createList', summary: 'Create a curated list', answer: CommandAnswer, status: 201 })
  create(@Body() command: CreateList, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.create(command, to, list => `/reader/v1/lists/${list}`)
  }

  @Post(':list/change')
  @HttpCode(200)
  @Describe({ id: 'changeList', summary: 'Change label, section or capacity of a list', answer: CommandAnswer })
  change(@Body() command: ChangeList, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':list/feature')
  @HttpCode(200)
  @Describe({ id: 'featureArticle', summary: 'Put an article into a list', answer: CommandAnswer })
  feature(@Body() command: FeatureArticle, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':list/move')
  @HttpCode(200)
  @Describe({ id: 'moveArticle', summary: 'Move an article within a list', answer: CommandAnswer })
  move(@Body() command: MoveArticle, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':list/pin')
  @HttpCode(200)
  @Describe({ id: 'pinArticle', summary: 'Keep an article at its place in a list', answer: CommandAnswer })
  pin(@Body() command: PinArticle, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':list/unpin')
  @HttpCode(200)
  @Describe({ id: 'unpinArticle', summary: 'Let an article move with the others again', answer: CommandAnswer })
  unpin(@Body() command: UnpinArticle, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':list/time')
  @HttpCode(200)
  @Describe({ id: 'timeFeature', summary: 'Change from and until when an article is shown', answer: CommandAnswer })
  time(@Body() command: TimeFeature, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':list/reorder')
  @HttpCode(200)
  @Describe({ id: 'reorderList', summary: 'Put a list into another order', answer: CommandAnswer, ifMatch: 'required' })
  reorder(@Body() command: ReorderList, @ToList({ replaces: true }) to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':list/unfeature')
  @HttpCode(200)
  @Describe({ id: 'unfeatureArticle', summary: 'Take an article off a list', answer: CommandAnswer })
  unfeature(@Body() command: UnfeatureArticle, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }
}
