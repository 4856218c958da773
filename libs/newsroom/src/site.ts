// Where readers find the articles of this newsroom.

export interface Site {
  /** What article urls begin with (SITE_URL), without a slash at its end. */
  readonly url: string
}

/** Address of an article's page. */
export const urlOf = (site: Site, slug: string): string => `${site.url.replace(/\/+$/, '')}/${slug}`
