import { describe, expect, it } from 'vitest';
import { isPrivateAddress, resolveAllowed } from './egress.js';

describe('isPrivateAddress', () => {
  it.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '127.8.8.8',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    'fd00:ec2::254',
    'fe80::1',
    'ff02::1',
  ])('says that %s is not public', (address) => expect(isPrivateAddress(address)).toBe(true));

  it.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])(
    'says that %s is public',
    (address) => expect(isPrivateAddress(address)).toBe(false),
  );
});

it('resolves to the very address that was checked', async () => {
  expect(['127.0.0.1', '::1']).toContain(await resolveAllowed('localhost', true));
  await expect(resolveAllowed('localhost', false)).rejects.toMatchObject({ kind: 'forbidden' });
  expect(await resolveAllowed('[::1]', true)).toBe('::1');
});
