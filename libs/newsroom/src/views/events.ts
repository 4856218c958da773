// Events of a counting process's stream, `views-{uuid}`. Coarse on purpose: nobody can be found in them.

export const REFERRERS = ['direct', 'internal', 'search', 'social', 'other'] as const
export type Referrer = (typeof REFERRERS)[number]
export const DEVICES = ['desktop', 'mobile', 'tablet', 'other'] as const
export type Device = (typeof DEVICES)[number]

/** Article id, number of views, kind of referrer, device, ISO 3166-1 alpha-2 country (`''`: unknown). */
export type ViewCount = readonly [articleId: string, views: number, referrer: Referrer, device: Device, country: string]

export interface ViewEvents {
  /** Views of one minute by one process; at most 1,000 entries. */
  ArticlesViewed: {
    /** Start of the minute, RFC 3339 UTC. */
    readonly minute: string
    readonly views: readonly ViewCount[]
    /** First 8 bytes of SHA-256 of each view id in base64url, concatenated: a repeat after a restart is not counted. */
    readonly seen?: string
  }
}

/** For read models that count no views. */
export const ignoreViews = { ArticlesViewed: 'ignore' } as const satisfies Record<keyof ViewEvents, 'ignore'>
