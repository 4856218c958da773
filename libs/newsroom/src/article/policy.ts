// What a newsroom decides for itself about its articles.

export interface Policy {
  /** `four-eyes`: what people write is published only as somebody who wrote none of it has approved it. */
  readonly approval: 'none' | 'four-eyes'
}

export const DEFAULT_POLICY: Policy = { approval: 'none' }
