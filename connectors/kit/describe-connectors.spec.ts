import { expect, it } from 'vitest';
import { CAPABILITIES } from './contract.js';
import { describeConnectors } from './describe-connectors.js';

const human = { id: 'by-hand', title: 'By hand', kind: 'human', secrets: {} } as const;
const api = { id: 'some-tool', title: 'Some tool', kind: 'api', secrets: { token: 'A token' } } as const;

const described = describeConnectors([
  { ...human, capabilities: { grant: { permission: 'an administrator' } } },
  { ...api, capabilities: { check: { permission: 'read | <look>' }, getAccount: { permission: 'read | <look>' } } },
]).split('\n');

it('shows every capability of the contract once, in its order, with who does it', () => {
  const rows = described.filter((line) => line.startsWith('| `') && line.split(' | ').length > 3);
  expect(rows.map((line) => /`(\w+)`/.exec(line)?.[1])).toEqual([...CAPABILITIES]);
  expect(rows.find((line) => line.startsWith('| `grant` '))).toMatch(/\| ○ \| {2}\|$/);
  expect(rows.find((line) => line.startsWith('| `check` '))).toMatch(/\| {2}\| ● \|$/);
  expect(rows.find((line) => line.startsWith('| `lockDown` '))).toMatch(/\| {2}\| {2}\|$/);
});

it('names each permission once with all that it opens, and keeps the table whole', () => {
  expect(described).toContain('| read \\| \\<look> | `check`, `getAccount` |');
  expect(described).toContain('- secret `token`: A token');
});
