// A secret of this data directory: made once, whoever starts at the same time.
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { randomUUID } from 'node:crypto'

/** The text of a file (0600), made when absent; processes that start at once end up with one and the same. */
export const keptSecret = async (file: string, make: () => Promise<string>): Promise<string> =>
  (await textOf(file)) ?? (await create(file, await make()))

const create = async (file: string, text: string): Promise<string> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  try {
    // A link never replaces: of several that start at once the first one's secret stays.
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return (await textOf(file)) ?? text
}

const textOf = async (file: string): Promise<string | null> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Error(`${file} cannot be read as a key: ${(error as Error).message}`, { cause: error })
  }
}
