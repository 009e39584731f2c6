import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseRunbook } from './parse-runbook.js';
import { proposeContainment, type MachineKnowledge } from './propose-containment.js';

const { document: RUNBOOK } = parseRunbook(
  readFileSync(new URL('../../../docs/runbooks/laptop-lost.yaml', import.meta.url), 'utf8'),
);

const SAFE: MachineKnowledge = {
  disk: 'encrypted',
  diskAgeSeconds: 3_600,
  unlocks: 'before_boot',
  awake: 'no',
  keyRevealed: false,
  legalHold: false,
};

function propose(known: Partial<MachineKnowledge>) {
  if (RUNBOOK === null) throw new Error('the runbook in the repository has mistakes');
  return proposeContainment(RUNBOOK, { ...SAFE, ...known });
}

it('proposes a lock where the disk was seen encrypted a short time before, asks for a secret, and was off', () => {
  expect(propose({})).toMatchObject({ propose: 'lock', row: null });
});

it.each([
  ['it was not encrypted', { disk: 'not_encrypted' }],
  ['protection was suspended', { disk: 'suspended' }],
  ['it was being encrypted', { disk: 'converting' }],
  ['nobody knows', { disk: 'unknown', diskAgeSeconds: null }],
  ['it was seen encrypted, and long ago', { diskAgeSeconds: 8 * 86_400 }],
  ['nobody knows how old that is', { diskAgeSeconds: null }],
  ['somebody has read its key', { keyRevealed: true }],
  ['it was awake', { awake: 'yes' }],
  ['it opens by itself', { unlocks: 'tpm_only' }],
  ['nobody knows what it asks for', { unlocks: 'unknown' }],
] as const)('proposes a wipe when %s', (_what, known) => {
  expect(propose(known).propose).toBe('wipe');
});

it('never proposes a wipe under legal hold, whatever else is known', () => {
  expect(propose({ legalHold: true, disk: 'not_encrypted', awake: 'yes' })).toMatchObject({ propose: 'lock', row: 1 });
});

it('doesn’t take “not encrypted” for better when it is old', () => {
  expect(propose({ disk: 'not_encrypted', diskAgeSeconds: 400 * 86_400 })).toMatchObject({ propose: 'wipe', row: 2 });
});

it('says what of the machine it goes by, and how old that is', () => {
  expect(propose({ diskAgeSeconds: 9 * 86_400 }).facts).toEqual([
    'disk: encrypted, seen 9 d before the report, which is longer than 7 d',
    'unlocks: by a PIN or passphrase before it starts',
    'awake and unlocked when lost: no',
    'recovery key read since its last rotation: no',
    'legal hold: no',
  ]);
});
