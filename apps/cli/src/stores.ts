// The stores that commands work on: those of a cluster, of a running server, or embedded ones for the duration.
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import { DirectoryLocked, findRunningStores, startEmbeddedStores, type StoreUrls } from '@stet/embedded'
import {
  Aggregates,
  claimDatabase,
  connectDocumentStore,
  connectEventLog,
  type DocumentStore,
  type EventLog,
  found,
  type ProjectionSources,
} from '@stet/eventsourcing'
import { GROUPS, projections, upcasters } from '@stet/newsroom'
import { type Config } from '@stet/platform'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { say } from './output'

export const CONFIG = Symbol('Config')

/** How long a server that is just starting or stopping is waited for, ms. */
const PATIENCE = 10_000
const PAUSE = 200

interface FoundedLog {
  readonly log: EventLog
  readonly newsroomId: string
}

/** Opens what is asked for when it is asked for; everything is closed when the command line ends. */
@Injectable()
export class Stores implements OnModuleDestroy {
  readonly #closing: (() => Promise<unknown>)[] = []
  #urls: Promise<StoreUrls> | null = null
  #log: Promise<FoundedLog> | null = null
  #documents: Promise<DocumentStore> | null = null
  #aggregates: Promise<Aggregates> | null = null
  #standalone = false

  constructor(@Inject(CONFIG) private readonly config: Config) {}

  /** True when no server runs on the embedded stores: this process started them. */
  get standalone(): boolean {
    return this.#standalone
  }

  /** The event log, reachable and founded. */
  async log(): Promise<EventLog> {
    return (await this.founded()).log
  }

  /** Everything that read models are run with; the database is surely that of this log. */
  async readModels(): Promise<ProjectionSources> {
    return {
      log: await this.log(),
      documents: await (this.#documents ??= this.openDocuments()),
      projections,
      groups: GROUPS,
    }
  }

  aggregates(): Promise<Aggregates> {
    return (this.#aggregates ??= this.log().then(log => new Aggregates(log)))
  }

  async onModuleDestroy(): Promise<void> {
    // In reverse: the clients before the stores.
    for (const close of this.#closing.reverse()) await close().catch(() => undefined)
  }

  private founded(): Promise<FoundedLog> {
    return (this.#log ??= this.openLog())
  }

  private async openLog(): Promise<FoundedLog> {
    const { eventStoreUrl } = await this.urls()
    // Loaded when it is needed: it is half of what the command line would load at its start.
    const { FOUNDING } = await import('@stet/api')
    const log = connectEventLog({ url: eventStoreUrl, prefix: this.config.streamPrefix, upcasters })
    this.#closing.push(() => log.close())
    const { id } = await found(log, { ...FOUNDING, newId: randomUUID })
    return { log, newsroomId: id }
  }

  private async openDocuments(): Promise<DocumentStore> {
    const { mongodbUrl } = await this.urls()
    const documents = connectDocumentStore({ url: mongodbUrl, database: this.config.mongodbDatabase })
    this.#closing.push(() => documents.close())
    const { log, newsroomId } = await this.founded()
    await claimDatabase({ documents, log }, newsroomId)
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
