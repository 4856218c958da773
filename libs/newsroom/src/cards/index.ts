// Cards: each article as it stands in lists.
export * from './cards'
export * from '../site'
