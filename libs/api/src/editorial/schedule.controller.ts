// What happens to articles by itself, and when.
import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common'
import { CancelScheduledChange, GetSchedule, RescheduleChange, ScheduleAnswer, ScheduleChange } from '@stet/newsroom'
import { Question } from '@stet/platform'
import { CommandAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, type Exchange, ToArticle, WithExchange } from './address'
import { Commands } from './commands'
import { EditorsReads } from './editors-reads'

@Controller('editorial/v1')
export class ScheduleController {
  constructor(
    private readonly commands: Commands,
    private readonly reads: EditorsReads,
  ) {}

  @Post('articles/:id/schedule')
  @HttpCode(200)
  @Describe({ id: 'scheduleChange', summary: 'Freeze what is approved and change it at a time', answer: CommandAnswer })
  schedule(@Body() command: ScheduleChange, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post('articles/:id/reschedule')
  @HttpCode(200)
  @Describe({ id: 'rescheduleChange', summary: 'Move a scheduled change', answer: CommandAnswer })
  reschedule(@Body() command: RescheduleChange, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post('articles/:id/unschedule')
  @HttpCode(200)
  @Describe({ id: 'cancelScheduledChange', summary: 'Call a scheduled change off', answer: CommandAnswer })
  unschedule(@Body() command: CancelScheduledChange, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Get('schedule')
  @Describe({
    id: 'getSchedule',
    summary: 'Scheduled changes, the earliest first',
    answer: ScheduleAnswer,
    waits: true,
  })
  list(@Question() query: GetSchedule, @WithExchange() exchange: Exchange): Promise<ScheduleAnswer> {
    return this.reads.answer(query, exchange)
  }
}
