// Opens a directory as the store does and closes it again.
import { Engine } from './keyspace/engine'

/**
 * Opens the documents in `directory`, which nobody else has open, with all collections and indexes.
 * @throws WrongFormat as the store does, and what their descriptions are damaged by.
 */
export async function checkDocuments(directory: string): Promise<void> {
  await new Engine(directory).close()
}
