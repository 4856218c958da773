// What a unit holds in memory until it is stored is bounded.
import { expect, it } from '@jest/globals'
import { Unit } from './unit'

it('takes no further document when it has more than 256 MiB', () => {
  const unit = new Unit({ get: () => undefined, range: () => ({ entries: [] }) }, () => {})
  const value = Buffer.alloc(64 * 1024 * 1024)
  for (let n = 0; n < 4; n++) {
    unit.claim(Buffer.of(n))
    unit.view.put(Buffer.of(n), value)
  }
  expect(() => unit.claim(Buffer.of(4))).toThrow(expect.objectContaining({ codeName: 'TransactionTooLarge' }))
})
