import { describe, expect, it } from 'vitest';
import { isCorporateAddress, normalAddress, refusePersonalAddress } from './corporate-address.js';

const domains = ['acme.example', 'Acme.org'];

describe('isCorporateAddress', () => {
  it.each(['ada@acme.example', 'ADA@Acme.Example', ' ada.l+x@acme.org '])('takes %j', (address) => {
    expect(isCorporateAddress(address, domains)).toBe(true);
  });

  it.each([
    'ada@gmail.example',
    'ada@evil-acme.example',
    'ada@sub.acme.example',
    'ada@acme.example.evil.example',
    'ada@acme.example@evil.example',
    'ada@evil.example@acme.example',
    'acme.example',
    '@acme.example',
    'ada lovelace@acme.example',
    'ada@acme.example\nbcc: x@acme.example',
    '',
  ])('takes %j for no corporate address', (address) => {
    expect(isCorporateAddress(address, domains)).toBe(false);
  });
});

it('refuses a personal address without repeating it', () => {
  expect(() => refusePersonalAddress('ada@gmail.example', domains)).toThrow(/corporate addresses only/);
  expect(() => refusePersonalAddress('ada@gmail.example', domains)).not.toThrow(/gmail/);
});

it('brings an address into the form in which it is stored', () => {
  expect(normalAddress(' Ada.Lovelace@ACME.example ')).toBe('ada.lovelace@acme.example');
});
