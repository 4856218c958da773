// What all lists over HTTP share: waiting for a position, and the address of the next page.
import { Invalid } from '@stet/eventsourcing'

/** `?position=`: what the answer must hold. */
export const awaitedPosition = (query: unknown): string | undefined => {
  const { position } = query as { readonly position?: unknown }
  if (position === undefined) return undefined
  if (typeof position !== 'string' || !/^(0|[1-9]\d{0,19})$/.test(position))
    throw new Invalid([{ pointer: '?position', detail: 'must be a position that a command answered' }])
  return position
}

/** The cursor of the page after this one; null at the end, and for what has no pages. */
export const nextOf = (answer: unknown): string | null => {
  const { next } = answer as { readonly next?: unknown }
  return typeof next === 'string' ? next : null
}

/** The address of that page. */
export const nextUrl = (url: string, cursor: string): string => {
  const [path = '', query = ''] = url.split('?', 2)
  const parameters = new URLSearchParams(query)
  parameters.delete('position')
  parameters.set('cursor', cursor)
  return `${path}?${parameters.toString()}`
}
