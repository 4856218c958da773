// What the OpenAPI document says of a route beside its path, its body and its roles, which it finds by itself.
import { SetMetadata } from '@nestjs/common'
import { type TSchema } from '@sinclair/typebox'

export interface Description {
  /** operationId: unique, what clients' methods are called. */
  readonly id: string
  readonly summary: string
  /** Schema of the answer, null for none. */
  readonly answer: TSchema | null
  /** Status of success; 200 when absent. */
  readonly status?: 200 | 201 | 204
  /** Content is replaced: If-Match is needed. */
  readonly ifMatch?: 'required'
  /** The answer has an ETag, and If-None-Match is answered by 304. */
  readonly etag?: boolean
  /** Takes `?position=`. */
  readonly waits?: boolean
  /** The answer is one JSON value a line. */
  readonly ndjson?: boolean
  /** The body is JSON of a form that is not ours. */
  readonly anyBody?: boolean
  /** The body may come as text/plain. */
  readonly acceptsText?: boolean
}

export const DESCRIPTION = 'stet:description'
export const Describe = (description: Description) => SetMetadata(DESCRIPTION, description)
