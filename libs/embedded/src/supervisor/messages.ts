// What the child process of the embedded stores tells its parent.
export type ChildMessage =
  | { kind: 'ready' }
  /** The stores could not be opened. */
  | { kind: 'failed'; message: string }
