// Coarse kinds of referrer, device and network: what the log may hold, and what is no person at all.
import { isbot } from 'isbot'
import { type Device, type Referrer } from './events'

/** Registrable names; any subdomain counts. */
const SEARCH =
  'google bing duckduckgo yahoo yandex baidu ecosia startpage qwant naver seznam ask aol sogou mojeek kagi presearch swisscows'
const SEARCH_NAMES = new Set(SEARCH.split(' '))
const SEARCH_HOSTS = ['search.brave.com', 'ya.ru', 'so.com', 'com.google.android.googlequicksearchbox']
const SOCIAL_HOSTS = (
  'facebook.com fb.com fb.me instagram.com threads.net threads.com twitter.com x.com t.co linkedin.com lnkd.in ' +
  'reddit.com youtube.com youtu.be tiktok.com pinterest.com t.me telegram.org telegram.me vk.com vk.ru ok.ru ' +
  'whatsapp.com wa.me bsky.app mastodon.social tumblr.com snapchat.com weibo.com weibo.cn line.me discord.com ' +
  'news.ycombinator.com xing.com com.facebook.katana com.twitter.android com.linkedin.android org.telegram.messenger'
).split(' ')

const below = (host: string, name: string): boolean => host === name || host.endsWith(`.${name}`)

const hostOf = (url: string): string | null => {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:]+)/i.exec(url)?.[1]
  return host === undefined ? null : host.toLowerCase().replace(/^www\./, '')
}

/** Search engines have a name of their own under every country's ending: `google.co.uk`, `yahoo.com.tr`. */
const isSearch = (host: string): boolean => {
  if (SEARCH_HOSTS.some(name => below(host, name))) return true
  const labels = host.split('.')
  const [beforeCountry = '', name = ''] = labels.slice(-3, -1).length > 1 ? labels.slice(-3, -1) : ['', labels.at(-2)]
  return SEARCH_NAMES.has(name) || (name.length <= 3 && SEARCH_NAMES.has(beforeCountry))
}

/** Kind of the page that led to the view; what cannot be read as a URL is `other`. */
export const classifyReferrer = (referrer: string | undefined, siteUrl: string): Referrer => {
  if (referrer === undefined || referrer.trim() === '') return 'direct'
  const host = hostOf(referrer.trim())
  if (host === null) return 'other'
  if (host === hostOf(siteUrl)) return 'internal'
  if (isSearch(host)) return 'search'
  return SOCIAL_HOSTS.some(name => below(host, name)) ? 'social' : 'other'
}

/** Kind of device by the user agent; tablets that ask for desktop pages cannot be told from desktops. */
export const classifyDevice = (userAgent: string | undefined): Device => {
  if (!userAgent) return 'other'
  if (/iPad|Tablet|PlayBook|Kindle|Silk\/|Android(?!.*Mobi)/i.test(userAgent)) return 'tablet'
  if (/Mobi|iPhone|iPod|Windows Phone|Opera Mini/i.test(userAgent)) return 'mobile'
  if (/Windows NT|Macintosh|X11|CrOS|Linux/i.test(userAgent)) return 'desktop'
  return 'other'
}

/** A known bot, or no user agent at all. */
export const isBot = (userAgent: string | undefined): boolean => !userAgent || isbot(userAgent)

/** Browsers that load a page before anybody looks at it say so (Sec-Purpose; older ones Purpose, X-Moz, X-Purpose). */
export const isPrefetch = (purpose: string | undefined): boolean =>
  purpose !== undefined && /\b(prefetch|prerender|preview)\b/i.test(purpose)

/**
 * The network that a rate holds for: /24 of IPv4, /48 of IPv6; null for the machine itself, which is no visitor's
 * network. An address that cannot be read is a network of its own.
 */
export const networkOf = (ip: string): string | null => {
  const v4 = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.\d{1,3}$/i.exec(ip)
  if (v4) return v4[1] === '127' ? null : `${v4[1]}.${v4[2]}.${v4[3]}`
  if (ip === '::1') return null
  const [head = ''] = ip.split('::')
  const groups = head.split(':').filter(group => group !== '')
  // Groups that `::` stands for within the first 48 bits are zero.
  while (ip.includes('::') && groups.length < 3) groups.push('0')
  return groups
    .slice(0, 3)
    .map(group => group.toLowerCase().replace(/^0+(?=.)/, ''))
    .join(':')
}
