// Revisions of articles and lists: what they hold, and what differs between two of them.
export { DifferenceAnswer, differenceBetween } from './difference'
export { articleFields, brief, type BriefChange, type Change, changesBetween, type Fields, listFields } from './fields'
