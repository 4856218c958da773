// The line under an article that says where the report comes from, in the article's language.
import { type Source } from '../article/content'

/** One template per language; `with` applies where somebody contributed. */
interface Template {
  /** Locale whose lists are joined as this newsroom writes them. */
  readonly locale: string
  readonly alone: (outlet: string) => string
  readonly with: (outlet: string, contributors: string) => string
}

const template = (locale: string, source: string, joint: string): Template => ({
  locale,
  alone: outlet => `${source} ${outlet}`,
  with: (outlet, contributors) => `${source} ${outlet}${joint}${contributors}`,
})

/** British lists have no comma before the last "and". */
const ENGLISH = template('en-GB', 'Source:', ' with ')

/** By the primary language subtag; the joints take names as they are, without inflecting them. */
const TEMPLATES: Readonly<Record<string, Template>> = {
  en: ENGLISH,
  de: template('de', 'Quelle:', ' mit '),
  fr: template('fr', 'Source :', ' avec '),
  es: template('es', 'Fuente:', ' con '),
  pt: template('pt', 'Fonte:', ' com '),
  it: template('it', 'Fonte:', ' con '),
  ca: template('ca', 'Font:', ' amb '),
  nl: template('nl', 'Bron:', ' met '),
  pl: template('pl', 'Źródło:', ', przy udziale: '),
  cs: template('cs', 'Zdroj:', ', s přispěním: '),
  uk: template('uk', 'Джерело:', ', за участю: '),
  ru: template('ru', 'Источник:', ', при участии: '),
  hy: template('hy', 'Աղբյուր՝', ', մասնակցությամբ՝ '),
  az: template('az', 'Mənbə:', ', iştirak edənlər: '),
  ka: template('ka', 'წყარო:', ', მონაწილეობდნენ: '),
  tr: template('tr', 'Kaynak:', ', katkıda bulunanlar: '),
  sv: template('sv', 'Källa:', ' med '),
  da: template('da', 'Kilde:', ' med '),
  nb: template('nb', 'Kilde:', ' med '),
  ar: template('ar', 'المصدر:', ' مع '),
  fa: template('fa', 'منبع:', ' با '),
}

/** `Source: {outlet} with {a}, {b} and {c}` in the language of the tag (BCP 47), in English when there is no template. */
export const sourceLine = ({ outlet, contributors }: Source, language: string): string => {
  const { locale, alone, with: joined } = TEMPLATES[primaryLanguage(language)] ?? ENGLISH
  if (contributors.length === 0) return alone(outlet)
  return joined(outlet, listIn(locale).format(contributors.map(({ name }) => name)))
}

/** `en` of `en-GB`: articles of one primary language are for the same readers. */
export const primaryLanguage = (tag: string): string => tag.split('-', 1)[0]?.toLowerCase() ?? ''

const lists = new Map<string, Intl.ListFormat>()

/** Making one costs more than a page does. */
const listIn = (locale: string): Intl.ListFormat => {
  let list = lists.get(locale)
  if (!list) lists.set(locale, (list = new Intl.ListFormat(locale, { style: 'long', type: 'conjunction' })))
  return list
}
