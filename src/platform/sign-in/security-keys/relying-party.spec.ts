import { expect, it } from 'vitest';
import { relyingPartyOf } from './relying-party.js';

it.each([
  ['https://quartermaster.acme.example', 'quartermaster.acme.example', 'https://quartermaster.acme.example'],
  ['https://quartermaster.acme.example:8443', 'quartermaster.acme.example', 'https://quartermaster.acme.example:8443'],
  ['https://acme.example/quartermaster', 'acme.example', 'https://acme.example'],
  ['http://localhost:3000', 'localhost', 'http://localhost:3000'],
  ['https://localhost:3000', 'localhost', 'https://localhost:3000'],
])('at %s a key answers for the name %s', (publicUrl, id, origin) => {
  expect(relyingPartyOf(publicUrl)).toEqual({ id, origin });
});

it.each(['http://quartermaster.acme.example', 'http://127.0.0.1:3000', 'https://192.0.2.7', 'https://[::1]:3000'])(
  'at %s no browser lets a page use a key',
  (publicUrl) => expect(relyingPartyOf(publicUrl)).toBeNull(),
);
