// The line under an article that says where the report comes from, in the article's language.
import { type Contributor, type Source } from '../article/content'

/** One template per language; `with` applies where somebody contributed. */
interface Template {
  /** Locale whose lists are joined as this newsroom writes them. */
  readonly locale: string
  readonly alone: (outlet: string) => string
  readonly with: (outlet: string, contributors: string) => string
  /** Who took the pictures: a sentence of its own. */
  readonly photos: (photographers: string) => string
}

const template = (locale: string, source: string, joint: string, photos: string): Template => ({
  locale,
  alone: outlet => `${source} ${outlet}`,
  with: (outlet, contributors) => `${source} ${outlet}${joint}${contributors}`,
  photos: photographers => `${photos} ${photographers}`,
})

/** British lists have no comma before the last "and". */
const ENGLISH = template('en-GB', 'Source:', ' with ', 'Photos:')

/** By the primary language subtag; the joints take names as they are, without inflecting them. */
const TEMPLATES: Readonly<Record<string, Template>> = {
  en: ENGLISH,
  de: template('de', 'Quelle:', ' mit ', 'Fotos:'),
  fr: template('fr', 'Source :', ' avec ', 'Photos :'),
  es: template('es', 'Fuente:', ' con ', 'Fotos:'),
  pt: template('pt', 'Fonte:', ' com ', 'Fotos:'),
  it: template('it', 'Fonte:', ' con ', 'Foto:'),
  ca: template('ca', 'Font:', ' amb ', 'Fotos:'),
  nl: template('nl', 'Bron:', ' met ', 'Foto’s:'),
  pl: template('pl', 'Źródło:', ', przy udziale: ', 'Zdjęcia:'),
  cs: template('cs', 'Zdroj:', ', s přispěním: ', 'Foto:'),
  uk: template('uk', 'Джерело:', ', за участю: ', 'Фото:'),
  ru: template('ru', 'Источник:', ', при участии: ', 'Фото:'),
  hy: template('hy', 'Աղբյուր՝', ', մասնակցությամբ՝ ', 'Լուսանկարները՝'),
  az: template('az', 'Mənbə:', ', iştirak edənlər: ', 'Foto:'),
  ka: template('ka', 'წყარო:', ', მონაწილეობდნენ: ', 'ფოტო:'),
  tr: template('tr', 'Kaynak:', ', katkıda bulunanlar: ', 'Fotoğraflar:'),
  sv: template('sv', 'Källa:', ' med ', 'Foto:'),
  da: template('da', 'Kilde:', ' med ', 'Foto:'),
  nb: template('nb', 'Kilde:', ' med ', 'Foto:'),
  ar: template('ar', 'المصدر:', ' مع ', 'الصور:'),
  fa: template('fa', 'منبع:', ' با ', 'عکس:'),
}

/**
 * `Source: {outlet} with {a}, {b} and {c}` in the language of the tag (BCP 47), in English when there is no template;
 * `Photos: {d}` follows where photographers are named.
 */
export const sourceLine = ({ outlet, contributors }: Source, language: string): string => {
  const { locale, alone, with: joined, photos } = TEMPLATES[primaryLanguage(language)] ?? ENGLISH
  const named = (is: (contributor: Contributor) => boolean) =>
    listIn(locale).format(contributors.filter(is).map(({ name }) => name))
  const others = named(({ kind }) => kind !== 'photographer')
  const photographers = named(({ kind }) => kind === 'photographer')
  const line = others === '' ? alone(outlet) : joined(outlet, others)
  return photographers === '' ? line : `${line}. ${photos(photographers)}`
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
