// Who did what: to an article, to a list, in the whole newsroom.
import { Controller, Get } from '@nestjs/common'
import { GetActivity, GetArticleHistory, GetListHistory, HistoryAnswer } from '@stet/newsroom'
import { Question } from '@stet/platform'
import { Describe } from '../openapi/describe'
import { type Exchange, WithExchange } from './address'
import { EditorsReads } from './editors-reads'

@Controller('editorial/v1')
export class HistoryController {
  constructor(private readonly reads: EditorsReads) {}

  @Get('articles/:id/history')
  @Describe({
    id: 'getArticleHistory',
    summary: 'Who did what to an article, the newest first',
    answer: HistoryAnswer,
    waits: true,
  })
  article(@Question() query: GetArticleHistory, @WithExchange() exchange: Exchange): Promise<HistoryAnswer> {
    return this.reads.answer(query, exchange)
  }

  @Get('lists/:list/history')
  @Describe({
    id: 'getListHistory',
    summary: 'Who did what to a list, the newest first',
    answer: HistoryAnswer,
    waits: true,
  })
  list(@Question() query: GetListHistory, @WithExchange() exchange: Exchange): Promise<HistoryAnswer> {
    return this.reads.answer(query, exchange)
  }

  @Get('activity')
  @Describe({
    id: 'getActivity',
    summary: 'Who did what in the newsroom, the newest first',
    answer: HistoryAnswer,
    waits: true,
  })
  activity(@Question() query: GetActivity, @WithExchange() exchange: Exchange): Promise<HistoryAnswer> {
    return this.reads.answer(query, exchange)
  }
}
