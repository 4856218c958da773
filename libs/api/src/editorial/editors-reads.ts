// Answers editors' queries: waits where it is asked to, and says how far the answer goes. Never kept by anybody.
import { Injectable } from '@nestjs/common'
import { QueryBus } from '@nestjs/cqrs'
import { type Answered, awaiting } from '@stet/eventsourcing'
import { awaitedPosition, nextOf, nextUrl } from '../paging'
import { type Exchange } from './address'

@Injectable()
export class EditorsReads {
  constructor(private readonly bus: QueryBus) {}

  async answer<Answer>(query: object, { request, reply }: Exchange): Promise<Answer> {
    const position = awaitedPosition(request.query)
    const { answer, position: held } = await this.bus.execute<object, Answered<Answer>>(
      position === undefined ? query : awaiting(query, { position }),
    )
    void reply.headers({ 'cache-control': 'private, no-store', 'stet-position': held })
    const next = nextOf(answer)
    if (next !== null) void reply.header('link', `<${nextUrl(request.url, next)}>; rel="next"`)
    return answer
  }
}
