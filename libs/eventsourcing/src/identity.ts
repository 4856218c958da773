// Identities that follow from what they name, so that a repeat has the same ones: event ids and fingerprints.
import { hash } from 'node:crypto'
import { v5 } from 'uuid'
import { canonicalJson } from './json'

/** Namespace of all event ids (RFC 9562, version 5); it must never change. */
const EVENTS = '7c1f6d0e-3b58-5b0e-9a44-5d1f0c8e2a67'

/**
 * UUID of the `index`th event of a command: the same for every attempt. The actor belongs to the command's identity:
 * two people who happen to send the same key have sent two commands.
 */
export const eventIdOf = (stream: string, command: { commandId: string; actor: string }, index: number): string =>
  v5([stream, command.actor, command.commandId, index].join('\n'), EVENTS)

/** What a command is remembered by in its stream's state. */
export const scopeOf = ({ commandId, actor }: { commandId: string; actor: string }): string => `${actor}\n${commandId}`

/** 128 bits of SHA-256 over the command's name, its target and its canonical body, in base64url. */
export const fingerprintOf = (commandName: string, stream: string, body: object): string =>
  hash('sha256', `${commandName}\n${stream}\n${canonicalJson(body)}`, 'base64url').slice(0, 22)
