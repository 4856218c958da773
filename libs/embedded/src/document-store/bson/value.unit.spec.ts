// What fits into a document, and what does not.
import { expect, it } from '@jest/globals'
import { encode, MAX_DOCUMENT_BYTES } from './value'

it.each([MAX_DOCUMENT_BYTES, 2 * MAX_DOCUMENT_BYTES])('refuses a document of more than %i bytes as too large', size => {
  const expected: unknown = expect.objectContaining({ codeName: 'BSONObjectTooLarge' })
  expect(() => encode({ numbers: Array.from({ length: 32 }, () => 'x'.repeat(size / 32)) })).toThrow(expected)
})
