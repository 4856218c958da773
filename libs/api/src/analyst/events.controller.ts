// The history as NDJSON: read as fast as the analyst reads, held nowhere.
import { Readable } from 'node:stream'
import { Controller, Get, Inject, StreamableFile } from '@nestjs/common'
import { EVENT_LOG, type EventLog, type LoggedEvent } from '@stet/eventsourcing'
import { Question } from '@stet/platform'
import { Type } from 'class-transformer'
import { IsInt, IsOptional, Matches, Max, Min } from 'class-validator'
import { EventRecordAnswer } from '../answers'
import { type Exchange, WithExchange } from '../editorial/address'
import { Describe } from '../openapi/describe'
import { recordOf } from './record'

export class GetEvents {
  /** Position after which to begin: that of the last record that was read. From the first event when absent. */
  @IsOptional()
  @Matches(/^(0|[1-9]\d{0,19})$/, { message: 'must be the position of a record' })
  from?: string

  /** Name of one stream: `article-{uuid}`. */
  @IsOptional()
  @Matches(/^[a-z]+-[A-Za-z0-9._-]{1,200}$/, { message: 'must be the name of a stream' })
  stream?: string

  /** Type of event: `ArticlePublished`. */
  @IsOptional()
  @Matches(/^[A-Z][A-Za-z0-9]{0,99}$/, { message: 'must be a type of event' })
  type?: string

  /** Records at most; all when absent. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000_000_000)
  limit?: number
}

@Controller('analyst/v1/events')
export class EventsController {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  @Get()
  @Describe({ id: 'listEvents', summary: 'The event history', answer: EventRecordAnswer, ndjson: true })
  async events(@Question() query: GetEvents, @WithExchange() { reply }: Exchange): Promise<StreamableFile> {
    void reply.header('cache-control', 'no-store')
    return new StreamableFile(Readable.from(await begun(chunks(this.select(query))), { objectMode: false }), {
      type: 'application/x-ndjson; charset=utf-8',
    })
  }

  private select({ from, stream, type, limit }: GetEvents): AsyncIterable<LoggedEvent> {
    return this.log.readAll({
      after: from ?? null,
      ...(stream !== undefined && { stream }),
      ...(type !== undefined && { filter: { types: [type] } }),
      ...(limit !== undefined && { limit }),
    })
  }
}

/** Bytes gathered into one write. */
const CHUNK = 64 * 1024

async function* chunks(events: AsyncIterable<LoggedEvent>): AsyncGenerator<string> {
  let chunk = ''
  for await (const event of events) {
    chunk += `${JSON.stringify(recordOf(event))}\n`
    if (chunk.length < CHUNK) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}

/** Reads the first chunk before anything is answered: a store that cannot be reached is a 503, not half a file. */
const begun = async (chunks: AsyncGenerator<string>): Promise<AsyncGenerator<string>> => {
  const first = await chunks.next()
  return (async function* () {
    try {
      if (!first.done) yield first.value
      yield* chunks
    } finally {
      await chunks.return(undefined)
    }
  })()
}
