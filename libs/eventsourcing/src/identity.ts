// Identities that follow from what they name, so that a repeat has the same ones: event ids and fingerprints.
import { hash } from 'node:crypto'
import { canonicalJson } from './json'

/** Namespace of all event ids (RFC 9562, version 5); it must never change. */
const EVENTS = Buffer.from('7c1f6d0e3b585b0e9a445d1f0c8e2a67', 'hex')

/**
 * UUID of the `index`th event of a command: the same for every attempt. The actor belongs to the command's identity:
 * two people who happen to send the same key have sent two commands. So does the fingerprint: the event store takes an
 * event with a known id for a repeat, and must not when the same command id comes with another content.
 */
export const eventIdOf = (
  stream: string,
  command: { readonly commandId: string; readonly actor: string; readonly fingerprint: string },
  index: number,
): string => uuidV5([stream, command.actor, command.commandId, command.fingerprint, index].join('\n'))

/** What a command is remembered by in its stream's state. */
export const scopeOf = ({ commandId, actor }: { commandId: string; actor: string }): string => `${actor}\n${commandId}`

/** An actor may hold anything, a command id no line feed. */
export const scopeIn = (scope: string): { commandId: string; actor: string } => {
  const end = scope.lastIndexOf('\n')
  return { actor: scope.slice(0, end), commandId: scope.slice(end + 1) }
}

/** 128 bits of SHA-256 over the command's name, its target and its canonical body, in base64url. */
export const fingerprintOf = (commandName: string, stream: string, body: object): string =>
  hash('sha256', `${commandName}\n${stream}\n${canonicalJson(body)}`, 'base64url').slice(0, 22)

/** RFC 9562, section 5.5. One call of the hash: there is an id to make for every event. */
const uuidV5 = (name: string): string => {
  const bytes = hash('sha1', Buffer.concat([EVENTS, Buffer.from(name)]), 'buffer')
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
