// Articles and lists as they were: any revision, what differs between two, and bringing one back.
import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common'
import { NotFound } from '@stet/eventsourcing'
import {
  articleFields,
  BringBackList,
  BringBackRevision,
  DifferenceAnswer,
  differenceBetween,
  EditorsArticleAnswer,
  editorsView,
  isListName,
  IsId,
  IsShaped,
  listFields,
  listRevision,
  ListRevisionAnswer,
  nonBlank,
  rememberedListOf,
  rememberedOf,
  RestoreList,
  RestoreRevision,
} from '@stet/newsroom'
import { etagOf, Question } from '@stet/platform'
import { Type } from 'class-transformer'
import { IsInt, IsOptional, Max, Min } from 'class-validator'
import { CommandAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, type Exchange, ToArticle, ToList, WithExchange } from './address'
import { Commands } from './commands'
import { Revisions } from './revisions'

const MOST = 999_999_999_999_999

export class ArticleRevision {
  @IsId() id!: string
  /** Of the article's stream, from 0. */
  @Type(() => Number) @IsInt() @Min(0) @Max(MOST) revision!: number
}
export class ListRevision {
  @IsShaped(nonBlank(200)) list!: string
  /** Of the list's stream, from 0. */
  @Type(() => Number) @IsInt() @Min(0) @Max(MOST) revision!: number
}
abstract class Between {
  /** The earlier revision (or the later one: then what was added is what went). */
  @Type(() => Number) @IsInt() @Min(0) @Max(MOST) from!: number
  /** The other revision; the current one when absent. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(MOST) to?: number
}
export class ArticleDifference extends Between {
  @IsId() id!: string
}
export class ListDifference extends Between {
  @IsShaped(nonBlank(200)) list!: string
}

@Controller('editorial/v1')
export class RevisionsController {
  constructor(
    private readonly commands: Commands,
    private readonly revisions: Revisions,
  ) {}

  @Get('articles/:id/revisions/:revision')
  @Describe({ id: 'getArticleRevision', summary: 'An article as it was', answer: EditorsArticleAnswer })
  async article(
    @Question() { id, revision }: ArticleRevision,
    @WithExchange() exchange: Exchange,
  ): Promise<EditorsArticleAnswer> {
    const key = id.toLowerCase()
    const [then] = await this.revisions.article(key, [revision])
    tagged(exchange, revision)
    return editorsView(key, then!)
  }

  @Get('articles/:id/diff')
  @Describe({ id: 'compareArticleRevisions', summary: 'What differs between two revisions', answer: DifferenceAnswer })
  async difference(
    @Question() { id, from, to: given }: ArticleDifference,
    @WithExchange() exchange: Exchange,
  ): Promise<DifferenceAnswer> {
    const key = id.toLowerCase()
    const to = given ?? (await this.revisions.latest('article', key))
    const [before, after] = await this.revisions.article(key, [from, Math.max(0, to)])
    tagged(exchange)
    return { id: key, from, to, fields: differenceBetween(articleFields(before!.state), articleFields(after!.state)) }
  }

  @Post('articles/:id/restore-revision')
  @HttpCode(200)
  @Describe({
    id: 'restoreArticleRevision',
    summary: "Bring a revision's content back, as a new revision",
    answer: CommandAnswer,
    ifMatch: 'required',
  })
  async restore(
    @Body() { revision }: RestoreRevision,
    @ToArticle({ replaces: true }) to: Address,
  ): Promise<CommandAnswer> {
    const [then] = await this.revisions.article(to.envelope.key, [revision])
    const remembered = rememberedOf(then!.state)
    return this.commands.send(Object.assign(new BringBackRevision(), { revision, remembered }), to)
  }

  @Get('lists/:list/revisions/:revision')
  @Describe({ id: 'getListRevision', summary: 'A list as it was', answer: ListRevisionAnswer })
  async list(
    @Question() { list, revision }: ListRevision,
    @WithExchange() exchange: Exchange,
  ): Promise<ListRevisionAnswer> {
    const [then] = await this.revisions.list(named(list), [revision])
    tagged(exchange, revision)
    return listRevision(list, then!.state, revision)
  }

  @Get('lists/:list/diff')
  @Describe({ id: 'compareListRevisions', summary: 'What differs between two revisions', answer: DifferenceAnswer })
  async listDifference(
    @Question() { list, from, to: given }: ListDifference,
    @WithExchange() exchange: Exchange,
  ): Promise<DifferenceAnswer> {
    const to = given ?? (await this.revisions.latest('list', named(list)))
    const [before, after] = await this.revisions.list(named(list), [from, Math.max(0, to)])
    tagged(exchange)
    return { id: list, from, to, fields: differenceBetween(listFields(before!.state), listFields(after!.state)) }
  }

  @Post('lists/:list/restore-revision')
  @HttpCode(200)
  @Describe({
    id: 'restoreListRevision',
    summary: 'Bring a list back as it was, as a new revision',
    answer: CommandAnswer,
    ifMatch: 'required',
  })
  async restoreList(
    @Body() { revision }: RestoreList,
    @ToList({ replaces: true }) to: Address,
  ): Promise<CommandAnswer> {
    const { key } = to.envelope
    const [then] = await this.revisions.list(key, [revision])
    const remembered = rememberedListOf(key, then!.state)
    return this.commands.send(Object.assign(new BringBackList(), { revision, remembered }), to)
  }
}

const named = (list: string): string => {
  if (!isListName(list)) throw new NotFound('there is no list of this name')
  return list
}

/** What was erased since must not be shown from anybody's memory. */
const tagged = ({ reply }: Exchange, revision?: number): void => {
  void reply.header('cache-control', 'private, no-store')
  if (revision !== undefined) void reply.header('etag', etagOf(revision))
}
