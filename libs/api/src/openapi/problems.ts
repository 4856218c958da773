// With which problems each operation may answer. What is not among them is a defect, a 500 first of all: no operation
// describes one, and neither does any have a default that would excuse it.
import { type ControllerRoute } from '@stet/platform'
import { type Description } from './describe'

/** What each described status means. */
export const PROBLEM_TEXT = {
  308: 'Moved for good: see Location',
  400: 'Malformed',
  401: 'Token needed',
  403: 'Role not sufficient',
  404: 'Not found',
  409: 'A rule of the newsroom forbids it',
  410: 'Gone: it was unpublished or erased',
  412: 'Changed in the meantime',
  413: 'Body too large',
  415: 'Content type not supported',
  422: 'Not acceptable',
  428: 'If-Match needed',
  429: 'Too many requests; see Retry-After',
  503: 'Temporarily unavailable; see Retry-After',
} as const
export type ProblemStatus = keyof typeof PROBLEM_TEXT

/** Of an article that was erased there is nothing to show, to bring back or to erase once more. */
const ERASABLE = /^\/editorial\/v1\/articles\/:id(\/(revisions\/:revision|diff|restore-revision|erase|redact))?$/

/** Statuses of an operation's problems, ascending; `asks`: it takes a query that is checked. */
export const problemsOf = (
  { method, path, access }: ControllerRoute,
  { status, ifMatch }: Description,
  asks: boolean,
): ProblemStatus[] => {
  const sends = method === 'POST'
  const commands = sends && path.startsWith('/editorial/')
  const names = path.includes(':')
  const described: readonly (readonly [boolean, ...ProblemStatus[]])[] = [
    // Syntax: of the body, or of a path that cannot be decoded.
    [sends || names, 400],
    [access?.kind === 'roles', 401, 403, 429],
    // What is created by its name is not looked for.
    [names && status !== 201, 404],
    [commands, 409, 412],
    [path.startsWith('/reader/v1/articles/'), 308, 410],
    [ERASABLE.test(path), 410],
    [sends, 413, 415],
    [sends || asks || names, 422],
    [ifMatch === 'required', 428],
    [true, 503],
  ]
  return described.flatMap(([may, ...statuses]) => (may ? statuses : [])).sort((a, b) => a - b)
}
