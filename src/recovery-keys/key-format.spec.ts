import { expect, it } from 'vitest';
import { formatOf } from './key-format.js';

const BITLOCKER = '000011-720885-470547-480865-118294-000000-110000-660000';
const SYSTEMD = 'cbdefghi-jklnrtuv-cccccccc-bbbbbbbb-dddddddd-eeeeeeee-ffffffff-gggggggg';

it.each([
  ['right', 'bitlocker', BITLOCKER],
  ['wrong', 'bitlocker', BITLOCKER.replace('470547', '470548')],
  // 11 × 65536: more than 16 bits.
  ['wrong', 'bitlocker', BITLOCKER.replace('720885', '720896')],
  ['wrong', 'bitlocker', BITLOCKER.slice(0, -7)],
  ['wrong', 'bitlocker', BITLOCKER.replaceAll('-', '')],
  ['right', 'filevault', 'ABCD-EF12-3456-GHIJ-KLMN-7890'],
  ['wrong', 'filevault', 'ABCD-EF12-3456-GHIJ-KLMN'],
  ['wrong', 'filevault', 'abcd-ef12-3456-ghij-klmn-7890'],
  ['right', 'luks', SYSTEMD],
  // a, m, s … are no letters of modhex: somebody mistyped it.
  ['wrong', 'luks', SYSTEMD.replace('cbdefghi', 'abdefghi')],
  ['right', 'luks', 'correct horse battery staple'],
  ['wrong', 'luks', 'two\nlines'],
  ['wrong', 'luks', 'ä'.repeat(257)],
  [null, 'other', 'whatever'],
] as const)('%s, as one of %s: %j', (format, protects, key) => {
  expect(formatOf(protects, key)).toBe(format);
});
