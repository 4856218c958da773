// Where the CommandBus and the QueryBus meet the engine: every handler is generated here, none is written by hand.
//
// @nestjs/cqrs finds a handler by the class of the command or query. A decider lists its command classes and a query
// definition names its query class, so one small handler class per entry is all that is needed; Nest injects into it.
import { Inject, type Provider, type Type } from '@nestjs/common'
import { CommandHandler, type ICommandHandler, type IQueryHandler, QueryHandler } from '@nestjs/cqrs'
import { type AnyDecider, type CommandOutcome, envelopeOf } from './decider'
import { type Aggregates } from './execute'
import { type Answered, type QueryDefinition } from './projection'

/** Injection tokens: the process's Aggregates, its EventLog, and what answers queries. */
export const AGGREGATES = Symbol('Aggregates')
export const EVENT_LOG = Symbol('EventLog')
export const READ_SIDE = Symbol('ReadSide')

/** Answers queries from read models: waits for the awaited position, reads, and says how far the answer goes. */
export interface ReadSide {
  answer<Q extends object, Answer>(definition: QueryDefinition<Q, Answer>, query: Q): Promise<Answered<Answer>>
}

/** Any query definition, its types erased. Each one is checked where it is defined. */
export type AnyQueryDefinition = Omit<QueryDefinition<object, unknown>, 'query' | 'answer'> & {
  readonly query: abstract new (...args: never[]) => object
  readonly answer: (query: never, read: never, asOf: Date) => Promise<unknown>
}

/** One handler per command of each decider; a command must be addressed (see `addressed`). */
export const commandHandlers = (deciders: readonly AnyDecider[]): Provider[] =>
  deciders.flatMap(decider =>
    Object.entries(decider.commands).map(([name, command]) => {
      class Handler implements ICommandHandler<object, CommandOutcome> {
        constructor(private readonly aggregates: Aggregates) {}
        async execute(command: object): Promise<CommandOutcome> {
          return this.aggregates.execute(decider, name, command, envelopeOf(command))
        }
      }
      CommandHandler(command)(Handler)
      return provided(Handler, name, AGGREGATES)
    }),
  )

/** One handler per query definition; it answers `Answered`. */
export const queryHandlers = (definitions: readonly AnyQueryDefinition[]): Provider[] =>
  definitions.map(definition => {
    class Handler implements IQueryHandler<object, Answered<unknown>> {
      constructor(private readonly readSide: ReadSide) {}
      async execute(query: object): Promise<Answered<unknown>> {
        return this.readSide.answer(definition as QueryDefinition<object, unknown>, query)
      }
    }
    // The decorator only keys its metadata by the class: nothing is constructed.
    QueryHandler(definition.query as Type<object>)(Handler)
    return provided(Handler, definition.query.name, READ_SIDE)
  })

/** Names the generated class after what it handles (for logs and stack traces) and says what Nest injects into it. */
const provided = <Handler extends Type<object>>(handler: Handler, handled: string, token: symbol): Handler => {
  Object.defineProperty(handler, 'name', { value: `${handled}Handler` })
  Inject(token)(handler, undefined, 0)
  return handler
}
