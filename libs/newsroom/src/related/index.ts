// Related articles: computed by text, tags and age.
export {
  computedRelated,
  related,
  RELATED_SHOWN,
  RELATED_STORED,
  type RelatedDocument,
  type RelatedEntry,
} from './related'
