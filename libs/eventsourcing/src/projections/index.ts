// Read models: how they are run, rebuilt, watched and read.
export { claimDatabase } from './claim'
export { Halted } from './fold'
export { dropOldGenerations, type Parked } from './generation'
export { readSide } from './read-side'
export { rebuildProjection } from './rebuild'
export { startProjections } from './start'
export { parkedDocuments, projectionStatus } from './status'
export * from './contract'
