// Does what is scheduled when it is due: in the name of who scheduled it, once, whoever else does the same.
import { type Aggregates, awaiting, type RunningReadSide, startTimetable } from '@stet/eventsourcing'
import { articleOf, dueQuery, GetDueChanges, PerformScheduledChange, type Policy } from '@stet/newsroom'
import { type AppContext } from '@stet/platform'

/** Milliseconds between two looks: what is due takes effect within a second. */
const EVERY = 500

export const runTimetable = (
  { logger }: AppContext,
  { aggregates, reading, policy }: { aggregates: Aggregates; reading: RunningReadSide; policy: Policy },
): { stop(): Promise<void> } => {
  const article = articleOf(policy)
  return startTimetable<{ articleId: string; scheduleId: string; by: string }>({
    every: EVERY,
    due: async asOf => {
      // In order also at a start: what was scheduled last may be due first, and not be in the read model yet.
      if (!(await reading.ready())) return []
      const { answer } = await reading.answer(dueQuery, awaiting(new GetDueChanges(), { asOf }))
      return answer.map(({ _id, articleId, by, scheduledBy }) => ({
        scheduledBy,
        command: { articleId, scheduleId: _id, by },
      }))
    },
    send: ({ articleId, scheduleId, by }, commandId) =>
      aggregates.execute(
        article,
        PerformScheduledChange.name,
        Object.assign(new PerformScheduledChange(), { scheduleId }),
        {
          key: articleId,
          actor: by,
          commandId,
          at: new Date().toISOString(),
          correlationId: scheduleId,
          causationId: scheduleId,
        },
      ),
    onError: (error, scheduledBy) => {
      logger.warn(
        { err: error, ...(scheduledBy !== null && { scheduledBy }) },
        'the timetable could not do what is due',
      )
    },
  })
}
