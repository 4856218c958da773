// How events of older shapes are read as the newest ones (docs/events.md): one list, for every program that opens a log.
import { type Upcaster } from '@stet/eventsourcing'

/**
 * One entry for each step of a type's version, from 1 without a gap. What an event once meant is settled here for ever:
 * an entry is never changed or removed. No shape has changed yet.
 */
export const upcasters: readonly Upcaster[] = []
