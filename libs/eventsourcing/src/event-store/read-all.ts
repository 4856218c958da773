// Reads $all with a filter. The client offers filters for subscriptions only, the protocol for reads too: the request is
// built here from the client's own generated messages and sent through the client's own connection.
import { type EventStoreDBClient } from '@eventstore/db-client'
import { ReadStream } from '@eventstore/db-client/dist/streams/utils/ReadStream'
import { convertGrpcEvent } from '@eventstore/db-client/dist/utils'
import { Empty } from '@eventstore/db-client/generated/shared_pb'
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb'
import { ReadReq } from '@eventstore/db-client/generated/streams_pb'
import { internalsOf } from './client'
import { type ServerFilter } from './filters'
import { type Pullable } from './pull'

/** Log records that the server looks through before it gives a sign of life. */
const WINDOW = 2000

export interface ReadAllRequest {
  /** `start`, `end`, or a commit position: inclusive forwards, exclusive backwards. */
  readonly from: string
  readonly backwards: boolean
  readonly limit: number
  readonly filter: ServerFilter
  /** Events that are buffered here. */
  readonly buffer: number
}

/** Starts the read; nothing is sent before the stream is pulled from. */
export const readAllFiltered = (client: EventStoreDBClient, request: ReadAllRequest): Pullable => {
  const internals = internalsOf(client)
  const message = requestMessage(request)
  const open = internals.GRPCStreamCreator(StreamsClient, 'readAll', grpc =>
    grpc.read(message, ...internals.callArguments({}, { deadline: Infinity })),
  )
  return new ReadStream(open, convertGrpcEvent, { highWaterMark: request.buffer })
}

const requestMessage = ({ from, backwards, limit, filter }: ReadAllRequest): ReadReq => {
  const all = new ReadReq.Options.AllOptions()
  if (from === 'start') all.setStart(new Empty())
  else if (from === 'end') all.setEnd(new Empty())
  else {
    const position = new ReadReq.Options.Position()
    position.setCommitPosition(from)
    position.setPreparePosition(from)
    all.setPosition(position)
  }
  const expression = new ReadReq.Options.FilterOptions.Expression()
  const filters = new ReadReq.Options.FilterOptions()
  if (filter.on === 'stream') {
    expression.setPrefixList([...filter.prefixes])
    filters.setStreamIdentifier(expression)
  } else {
    expression.setRegex(filter.regex)
    filters.setEventType(expression)
  }
  filters.setMax(WINDOW)
  filters.setCheckpointintervalmultiplier(1)

  const uuids = new ReadReq.Options.UUIDOption()
  uuids.setString(new Empty())
  const options = new ReadReq.Options()
  options.setAll(all)
  options.setResolveLinks(false)
  options.setCount(String(limit))
  options.setUuidOption(uuids)
  options.setFilter(filters)
  options.setReadDirection(backwards ? ReadReq.Options.ReadDirection.BACKWARDS : ReadReq.Options.ReadDirection.FORWARDS)
  const message = new ReadReq()
  message.setOptions(options)
  return message
}
