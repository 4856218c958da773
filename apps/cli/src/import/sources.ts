// Files, folders and NDJSON as a stream of JSON items: nothing is held in memory but the
// document or the line that is being read.
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { UsageError } from '../output'
import { linesIn } from './lines'

/** One item, or the reason why there is none; `at` names its place for people. */
export type SourceItem =
  { readonly at: string; readonly item: unknown } | { readonly at: string; readonly problem: string }

/** A file to read: `size` in bytes weighs it in the progress. */
export interface SourceFile {
  readonly path: string
  readonly size: number
}

const LINES = ['.ndjson', '.jsonl']
const KNOWN = ['.json', ...LINES]
/** A larger document is hardly one item; NDJSON has no such limit. */
const MAX_DOCUMENT = 64 * 1024 * 1024
const MAX_LINE = 8 * 1024 * 1024

/**
 * The files that paths mean, folders searched through in the order of their names.
 * @throws UsageError for a path that is not there, or when no file is found
 */
export const filesOf = async (paths: readonly string[]): Promise<SourceFile[]> => {
  const files: SourceFile[] = []
  for (const path of paths) {
    const found = await stat(path).catch(() => null)
    if (!found) throw new UsageError(`there is no file or folder ${path}`)
    if (!found.isDirectory()) {
      files.push({ path, size: found.size })
      continue
    }
    // With types it does not walk through links to folders, which may lead outside or round in circles.
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    const inside = entries.map(entry => join(entry.parentPath, entry.name))
    for (const file of inside.filter(each => KNOWN.includes(extname(each).toLowerCase())).sort()) {
      const known = await stat(file).catch(() => null)
      // A link to nothing is reported when it is read.
      if (!known || known.isFile()) files.push({ path: file, size: known?.size ?? 0 })
    }
  }
  if (!files.length) throw new UsageError(`no ${KNOWN.join(', ')} file was found in ${paths.join(', ')}`)
  return files
}

/** The items of a file: one document, an array of items, or one item a line. A problem never ends the stream. */
export async function* itemsOf({ path, size }: SourceFile): AsyncGenerator<SourceItem> {
  try {
    if (LINES.includes(extname(path).toLowerCase())) yield* linesOf(path)
    else if (size > MAX_DOCUMENT) yield { at: path, problem: `is larger than ${MAX_DOCUMENT} bytes: use NDJSON` }
    else yield* documentOf(path)
  } catch (error) {
    yield { at: path, problem: `cannot be read: ${(error as Error).message}` }
  }
}

async function* documentOf(path: string): AsyncGenerator<SourceItem> {
  const parsed = parse(path, await readFile(path, 'utf8'))
  if ('problem' in parsed || !Array.isArray(parsed.item)) {
    yield parsed
    return
  }
  for (const [index, item] of (parsed.item as unknown[]).entries()) yield { at: `${path}#/${index}`, item }
}

async function* linesOf(path: string): AsyncGenerator<SourceItem> {
  let number = 0
  for await (const line of linesIn(path, MAX_LINE)) {
    number++
    const at = `${path}:${number}`
    if (line === null) yield { at, problem: `is a line of more than ${MAX_LINE} bytes` }
    else if (line.trim()) yield parse(at, line)
  }
}

const parse = (at: string, text: string): SourceItem => {
  try {
    return { at, item: JSON.parse(text.replace(/^\ufeff/, '')) as unknown }
  } catch (error) {
    return { at, problem: `is no JSON: ${(error as Error).message}` }
  }
}
