// Items of news agencies and of Superdesk: read here, imported by article/importing.ts.
export { ITEM_LIMITS } from './fields'
export { importOf, type NinjsItem, readNinjs, wireArticleId } from './read-ninjs'
