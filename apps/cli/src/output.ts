// What the command line writes: results to standard output, everything about them to standard error.
import { StetError } from '@stet/eventsourcing'
import { SingleBar } from 'cli-progress'

/** An error of the person at the keyboard: its message is all there is to say. */
export class UsageError extends Error {}

/** What went wrong, in one line without control characters. */
export const failureLine = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  const line = message
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '')
    .trim()
  // A name tells more than nothing; our own errors and the system's say enough.
  return error instanceof Error && !(error instanceof StetError) && line === '' ? error.name : line
}

/** Writes to standard output and waits while its reader is slow. */
export const write = async (text: string): Promise<void> => {
  if (process.stdout.write(text)) return
  await new Promise<void>(resolve => process.stdout.once('drain', resolve))
}

/** Writes a line about the work to standard error. */
export const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

/** Columns aligned by their longest cell; numbers to the right. */
export const table = (header: readonly string[], rows: readonly (readonly (string | number)[])[]): string => {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map(row => String(row[column] ?? '').length)),
  )
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [header, ...rows].map(line).join('\n')
}

/** A progress bar on a terminal's standard error, else nothing. */
export interface Progress {
  /** What is done of what is known so far, in the same unit, and a word about it. */
  show(done: number, total: number, about: string): void
  stop(): void
}

export const progressBar = (): Progress => {
  if (!process.stderr.isTTY) return { show: () => undefined, stop: () => undefined }
  const bar = new SingleBar({
    format: '{bar} {percentage}% {about}',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  })
  let isStarted = false
  return {
    show: (done, total, about) => {
      if (!isStarted) bar.start(total, done, { about })
      isStarted = true
      bar.setTotal(total)
      bar.update(done, { about })
    },
    stop: () => {
      if (isStarted) bar.stop()
    },
  }
}
