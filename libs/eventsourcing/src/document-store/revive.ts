// Connects a client anew whose driver waits for ever.
//
// mongodb 7.9.0: the driver asks each server how it is, one question at a time. When the connection is closed between
// the decision to ask and the writing (a server that ends closes all of them at once, and the end of one makes the driver
// ask over another), the write to the closed socket neither fails nor times out: no question is asked any more, and the
// server counts as lost for as long as the client lives, however well it is.
import { type MongoClient } from 'mongodb'
import { setTimeout as pause } from 'node:timers/promises'

/** Milliseconds between two attempts to connect. */
const EVERY = 250

/** Watches the client's questions; one that is not answered, nor failed, within `patience` ms never will be. */
export const reviving = (client: MongoClient, patience: number): { stop(): Promise<void> } => {
  const asked = new Map<string, NodeJS.Timeout>()
  let stopped = false
  let reviving: Promise<void> | null = null

  const revive = async (): Promise<void> => {
    for (const timer of asked.values()) clearTimeout(timer)
    asked.clear()
    // Whatever was under way ends with an error of a lost connection.
    await client.close().catch(() => undefined)
    while (!stopped) {
      const connected = await client.connect().then(
        () => true,
        () => false,
      )
      if (connected) return
      await pause(EVERY)
    }
  }
  const answered = ({ connectionId }: { readonly connectionId: string }): void => {
    clearTimeout(asked.get(connectionId))
    asked.delete(connectionId)
  }
  client.on('serverHeartbeatStarted', event => {
    answered(event)
    if (stopped || reviving) return
    const timer = setTimeout(() => {
      reviving ??= revive().finally(() => (reviving = null))
    }, patience)
    timer.unref()
    asked.set(event.connectionId, timer)
  })
  client.on('serverHeartbeatSucceeded', answered)
  client.on('serverHeartbeatFailed', answered)
  return {
    stop: async () => {
      stopped = true
      for (const timer of asked.values()) clearTimeout(timer)
      await reviving
    },
  }
}
