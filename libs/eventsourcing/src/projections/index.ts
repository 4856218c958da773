// Read models: how they are run, rebuilt, watched and read.
export { dropOldGenerations, type Parked } from './generation'
export { rebuildProjection } from './rebuild'
export { startProjections } from './start'
export { parkedDocuments, projectionStatus } from './status'
export * from './contract'
