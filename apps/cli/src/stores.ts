// The stores that commands work on: those of a cluster, of a running server, or embedded ones for the duration.
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import { DirectoryLocked, findRunningStores, startEmbeddedStores, type StoreUrls } from '@stet/embedded'
import {
  Aggregates,
  connectDocumentStore,
  connectEventLog,
  type DocumentStore,
  type EventLog,
  found,
} from '@stet/eventsourcing'
import { type Config } from '@stet/platform'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { say } from './output'

export const CONFIG = Symbol('Config')

/** How a newsroom's log begins (docs/events.md). */
const FOUNDING = { stream: 'newsroom-founding', type: 'NewsroomFounded' } as const

/** How long a server that is just starting or stopping is waited for, ms. */
const PATIENCE = 10_000
const PAUSE = 200

/** Opens what is asked for when it is asked for; everything is closed when the command line ends. */
@Injectable()
export class Stores implements OnModuleDestroy {
  readonly #closing: (() => Promise<unknown>)[] = []
  #urls: Promise<StoreUrls> | null = null
  #log: Promise<EventLog> | null = null
  #documents: Promise<DocumentStore> | null = null
  #aggregates: Promise<Aggregates> | null = null
  #standalone = false

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** True when no server runs on the embedded stores: this process started them. */
  get standalone(): boolean {
    return this.#standalone
  }

  /** The event log, reachable and founded. */
  log(): Promise<EventLog> {
    return (this.#log ??= this.openLog())
  }

  documents(): Promise<DocumentStore> {
    return (this.#documents ??= this.openDocuments())
  }

  aggregates(): Promise<Aggregates> {
    return (this.#aggregates ??= this.log().then(log => new Aggregates(log)))
  }

  async onModuleDestroy(): Promise<void> {
    // In reverse: the clients before the stores.
    for (const close of this.#closing.reverse()) await close().catch(() => undefined)
  }

  private async openLog(): Promise<EventLog> {
    const { eventStoreUrl } = await this.urls()
    const log = connectEventLog({ url: eventStoreUrl, prefix: this.config.streamPrefix })
    this.#closing.push(() => log.close())
    await found(log, { ...FOUNDING, newId: randomUUID })
    return log
  }

  private async openDocuments(): Promise<DocumentStore> {
    const { mongodbUrl } = await this.urls()
    const documents = connectDocumentStore({ url: mongodbUrl, database: this.config.mongodbDatabase })
    this.#closing.push(() => documents.close())
    return documents
  }

  private urls(): Promise<StoreUrls> {
    return (this.#urls ??= this.findStores())
  }

  private async findStores(): Promise<StoreUrls> {
    const { eventStoreUrl, mongodbUrl } = this.config
    if (eventStoreUrl !== null && mongodbUrl !== null) return { eventStoreUrl, mongodbUrl }
    const embedded = await this.embeddedStores()
    return { eventStoreUrl: eventStoreUrl ?? embedded.eventStoreUrl, mongodbUrl: mongodbUrl ?? embedded.mongodbUrl }
  }

  /** A server may start or stop between looking and starting: whoever holds the directory is asked again. */
  private async embeddedStores(): Promise<StoreUrls> {
    const { dataDir } = this.config
    for (let waited = 0; ; waited += PAUSE) {
      const running = await findRunningStores(dataDir)
      if (running) return running
      try {
        const own = await startEmbeddedStores({ dataDir, log: say })
        this.#standalone = true
        this.#closing.push(() => own.stop())
        return own
      } catch (error) {
        if (!(error instanceof DirectoryLocked) || waited >= PATIENCE) throw error
        await pause(PAUSE)
      }
    }
  }
}
