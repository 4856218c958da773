// The Nest modules of each kind of user; handlers of commands and queries are generated.
import { type DynamicModule } from '@nestjs/common'
import { CqrsModule } from '@nestjs/cqrs'
import {
  AGGREGATES,
  type Aggregates,
  commandHandlers,
  EVENT_LOG,
  type EventLog,
  queryHandlers,
  READ_SIDE,
  type ReadSide,
} from '@stet/eventsourcing'
import { decidersOf, editorsQueries, newsroomQueries, type Policy, type Site } from '@stet/newsroom'
import { type AppContext, HotAnswers, Metrics } from '@stet/platform'
import { EventsController } from '../analyst/events.controller'
import { ArticlesController } from '../editorial/articles.controller'
import { BatchController } from '../editorial/batch.controller'
import { Batches } from '../editorial/batch'
import { Commands } from '../editorial/commands'
import { DeskController } from '../editorial/desk.controller'
import { ErasureController } from '../editorial/erasure.controller'
import { Imports, ImportsController } from '../editorial/imports.controller'
import { EditorsReads } from '../editorial/editors-reads'
import { HistoryController } from '../editorial/history.controller'
import { ListsController } from '../editorial/lists.controller'
import { PublishingController } from '../editorial/publishing.controller'
import { ReviewController } from '../editorial/review.controller'
import { Revisions } from '../editorial/revisions'
import { RevisionsController } from '../editorial/revisions.controller'
import { ScheduleController } from '../editorial/schedule.controller'
import { EditorsPreviewController, PreviewController } from '../preview/preview.controllers'
import { Previews } from '../preview/previews'
import { ReaderController } from '../reader/reader.controller'
import { Reads } from '../reader/reads'
import { ViewRecorder } from '../reader/view-recorder'
import { TRUSTS_PROXY, ViewsController } from '../reader/views.controller'

/** All controllers, by kind of user. */
export const CONTROLLERS = {
  editorial: [
    ArticlesController,
    ReviewController,
    PublishingController,
    ErasureController,
    ScheduleController,
    DeskController,
    RevisionsController,
    HistoryController,
    ListsController,
    ImportsController,
    BatchController,
    EditorsPreviewController,
  ],
  reader: [ReaderController, ViewsController, PreviewController],
  analyst: [EventsController],
}

class EditorialModule {}
class ReaderModule {}
class AnalystModule {}

export const editorialModule = (parts: {
  readonly aggregates: Aggregates
  readonly reading: ReadSide
  readonly policy: Policy
  readonly previews: Previews
}): DynamicModule => ({
  module: EditorialModule,
  imports: [CqrsModule.forRoot()],
  controllers: CONTROLLERS.editorial,
  providers: [
    Commands,
    Revisions,
    Batches,
    Imports,
    EditorsReads,
    { provide: Previews, useValue: parts.previews },
    { provide: AGGREGATES, useValue: parts.aggregates },
    { provide: READ_SIDE, useValue: parts.reading },
    ...commandHandlers(decidersOf(parts.policy)),
    ...queryHandlers(editorsQueries),
  ],
})

export const readerModule = (
  { http, metrics, config }: AppContext,
  parts: {
    readonly reading: ReadSide
    readonly recorder: ViewRecorder
    readonly site: Site
    readonly previews: Previews
  },
): DynamicModule => ({
  module: ReaderModule,
  imports: [CqrsModule.forRoot()],
  controllers: CONTROLLERS.reader,
  providers: [
    Reads,
    { provide: Previews, useValue: parts.previews },
    { provide: HotAnswers, useValue: http.hot },
    { provide: Metrics, useValue: metrics },
    { provide: ViewRecorder, useValue: parts.recorder },
    { provide: TRUSTS_PROXY, useValue: config.trustProxy !== false },
    { provide: READ_SIDE, useValue: parts.reading },
    ...queryHandlers(newsroomQueries(parts.site)),
  ],
})

export const analystModule = (log: EventLog): DynamicModule => ({
  module: AnalystModule,
  controllers: CONTROLLERS.analyst,
  providers: [{ provide: EVENT_LOG, useValue: log }],
})
