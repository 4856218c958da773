// HTTP in front of the newsroom: editorial, reader and analyst routes, their documentation, and how an app is composed.
export { recordOf } from './analyst/record'
export * from './answers'
export { openNewsroom, type Part } from './composition/newsroom'
export { configuredStores, FOUNDING, type StoreUrls } from './composition/stores'
export { analystModule, editorialModule, readerModule } from './composition/modules'
export { type OpenApiDocument, openApiDocument } from './openapi/document'
export { CACHE } from './reader/cache-table'
export { ViewRecorder, type ViewRecorderOptions, type ViewStatistics } from './reader/view-recorder'
