// Addresses in lists of networks, compared with Node's own, slower list.
import { BlockList, isIP } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { networksOf } from './networks'

describe('a list of networks', () => {
  it.each([
    ['192.0.2.7', true],
    ['192.0.3.0', false],
    ['::ffff:192.0.2.7', true],
    ['::FFFF:c000:207', true],
    ['198.51.100.1', true],
    ['198.51.100.2', false],
    ['2001:db8::1', true],
    ['2001:DB8:ffff:ffff:ffff:ffff:ffff:ffff', true],
    ['2001:db9::', false],
    ['fe80::1%eth0', true],
    ['203.0.113.200', true],
    ['no address', false],
    ['', false],
  ])('knows %s: %s', (ip, inside) => {
    const list = [
      '# Servers',
      '192.0.2.9/24 # host bits do not matter',
      '',
      '198.51.100.1\r',
      '2001:db8::/32',
      'fe80::/10',
      '::ffff:203.0.113.0/120',
    ]
    expect(networksOf(list.join('\n'))(ip)).toBe(inside)
  })

  it.each([['192.0.2.0/33'], ['2001:db8::/129'], ['192.0.2/24'], ['192.0.2.0/'], ['a/8'], ['192.0.2.0/8/8'], ['-']])(
    'refuses %s, and says where',
    line => expect(() => networksOf(`192.0.2.0/24\n${line}`)).toThrow('line 2 is no network'),
  )

  it('agrees with another implementation, wherever ranges overlap', () => {
    const v6 = fc.ipV6().filter(ip => !/ffff:/i.test(ip))
    const range = fc.oneof(
      fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
      fc.tuple(v6, fc.integer({ min: 0, max: 128 })),
    )
    const family = (ip: string) => (isIP(ip) === 4 ? 'ipv4' : 'ipv6')
    fc.assert(
      fc.property(
        fc.array(range, { maxLength: 12 }),
        fc.array(fc.oneof(fc.ipV4(), v6), { minLength: 1 }),
        (ranges, ips) => {
          // A list for each version: Node's takes all IPv4 for a part of ::/0.
          const others = { ipv4: new BlockList(), ipv6: new BlockList() }
          for (const [ip, bits] of ranges) others[family(ip)].addSubnet(ip, bits, family(ip))
          const inside = networksOf(ranges.map(([ip, bits]) => `${ip}/${bits}`).join('\n'))
          for (const ip of [...ips, ...ranges.map(([ip]) => ip)])
            expect([ip, inside(ip)]).toEqual([ip, others[family(ip)].check(ip, family(ip))])
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is empty when nothing is in it', () => expect(networksOf('')('192.0.2.1')).toBe(false))
})
