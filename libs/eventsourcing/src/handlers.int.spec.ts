// Commands and queries through Nest's own buses, the engine behind them.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CommandBus, CqrsModule, QueryBus } from '@nestjs/cqrs'
import { Test, type TestingModule } from '@nestjs/testing'
import { addressed } from './decider'
import { NotFound } from './errors'
import { connectEventLog } from './event-store'
import { type EventLog } from './event-log'
import { Aggregates } from './execute'
import { AGGREGATES, commandHandlers, queryHandlers, READ_SIDE, type ReadSide } from './handlers'
import { type QueryDefinition } from './projection'
import { AddCoins, command, envelope, type Jar, jars, OpenJar, temporaryEventStore } from './testing/store.fixture.spec'

class CoinsIn {
  constructor(readonly jar: string) {}
}
class LabelOf {
  constructor(readonly jar: string) {}
}
const coinsIn: QueryDefinition<CoinsIn, number> = { query: CoinsIn, reads: [], answer: async () => 0 }
const labelOf: QueryDefinition<LabelOf, string> = { query: LabelOf, reads: [], answer: async () => '' }

let store: Awaited<ReturnType<typeof temporaryEventStore>>
let log: EventLog
let app: TestingModule
beforeAll(async () => {
  store = await temporaryEventStore()
  log = connectEventLog({ url: store.url })
  const aggregates = new Aggregates(log)
  // Answers from the stream itself: which definition arrives with which query is what is asked here.
  const readSide = {
    async answer(definition: unknown, query: CoinsIn | LabelOf) {
      const jar = await aggregates.load<Jar>(jars, query.jar)
      return { answer: definition === coinsIn ? jar?.state.coins : jar?.state.label, position: jar?.position ?? '0' }
    },
  } as ReadSide
  app = await Test.createTestingModule({
    imports: [CqrsModule.forRoot()],
    providers: [
      { provide: AGGREGATES, useValue: aggregates },
      { provide: READ_SIDE, useValue: readSide },
      ...commandHandlers([jars]),
      ...queryHandlers([coinsIn, labelOf]),
    ],
  }).compile()
  await app.init()
})
afterAll(async () => {
  await app.close()
  await log.close()
  await store.remove()
})

test('a command goes to the decider that lists it, a query to its definition', async () => {
  const commands = app.get(CommandBus)
  const queries = app.get(QueryBus)
  const opened: unknown = await commands.execute(addressed(command(OpenJar, { label: 'tips' }), envelope('bus')))
  expect(opened).toMatchObject({ id: 'bus', revision: 0, replayed: false, changed: true })
  const added: unknown = await commands.execute(addressed(command(AddCoins, { coins: 4 }), envelope('bus')))
  expect(await queries.execute(new CoinsIn('bus'))).toEqual({
    answer: 4,
    position: (added as { position: string }).position,
  })
  expect(await queries.execute(new LabelOf('bus'))).toMatchObject({ answer: 'tips' })
})

test('refusals come through, and a command without an address is a mistake of the program', async () => {
  const commands = app.get(CommandBus)
  const lost = addressed(command(AddCoins, { coins: 4 }), envelope('bus-unknown'))
  await expect(commands.execute(lost)).rejects.toThrow(NotFound)
  await expect(commands.execute(command(AddCoins, { coins: 4 }))).rejects.toThrow(
    'AddCoins was sent without an address',
  )
})
