// Times as editors give them: with an offset, or by the clock of a place.
import { Temporal } from 'temporal-polyfill'
import { Invalid } from '@stet/eventsourcing'
import { Type } from '@sinclair/typebox'

/** RFC 3339 with an offset, or date and time by the clock of a zone that is named beside it. */
export const zonedTimeText = () =>
  Type.String({
    maxLength: 40,
    pattern:
      '^[1-9]\\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d)?$',
    description: 'a time of RFC 3339, or one without offset beside a zone',
  })

/** The name of an IANA time zone, `Europe/Berlin`. */
export const zoneName = () =>
  Type.String({ maxLength: 60, pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$', description: 'an IANA time zone' })

/**
 * The instant that is meant, RFC 3339 UTC with milliseconds. A clock time that a zone skips or has twice is refused, since
 * nobody can know which one was meant.
 * @throws Invalid for a time or zone that does not exist, or a local time without a zone
 */
export const instantOf = (at: string, zone: string | null | undefined, pointer = '#/at'): string => {
  const offset = /(Z|[+-]\d\d:\d\d)$/.test(at)
  if (zone) assertZone(zone)
  if (!offset && !zone)
    throw new Invalid([{ pointer, detail: `${at} has no offset: give one, or name the time zone in zone` }])
  try {
    const instant = offset
      ? Temporal.Instant.from(at)
      : Temporal.PlainDateTime.from(at, { overflow: 'reject' })
          .toZonedDateTime(zone ?? 'UTC', { disambiguation: 'reject' })
          .toInstant()
    return new Date(instant.epochMilliseconds).toISOString()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Invalid([
      { pointer, detail: `${at} is no time that exists once${zone ? ` in ${zone}` : ''}: give it with its offset` },
    ])
  }
}

const assertZone = (zone: string): void => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch {
    throw new Invalid([{ pointer: '#/zone', detail: `${zone} is no IANA time zone` }])
  }
}
