import { describe, expect, it } from 'vitest';
import { writeWorksheet, type AssessedLoss } from './write-worksheet.js';

const REPORTED = new Date('2026-11-23T03:00:00.000Z');
const after = (seconds: number) => new Date(REPORTED.getTime() + seconds * 1_000);

function loss(with_: Partial<AssessedLoss> = {}): AssessedLoss {
  return {
    awareAt: REPORTED,
    reportedAt: REPORTED,
    disk: {
      value: 'encrypted',
      source: 'osquery',
      observedAt: '2026-11-23T02:00:00.000Z',
      ageSeconds: 3_600,
    },
    machine: {
      disk: 'encrypted',
      diskAgeSeconds: 3_600,
      unlocks: 'before_boot',
      awake: 'no',
      keyRevealed: false,
      legalHold: false,
    },
    keyReads: { sinceRotation: 0, later: 0 },
    reachable: [],
    cuts: [],
    lastSignAt: null,
    ...with_,
  };
}
const machine = (with_: Partial<AssessedLoss['machine']>) => loss({ machine: { ...loss().machine, ...with_ } });
const disk = (value: string) => loss({ disk: { ...loss().disk, value } });

describe('whether encryption can be shown', () => {
  it.each([
    ['yes', 'it was seen encrypted and asks for a secret', loss()],
    ['no', 'it was seen not encrypted', disk('not_encrypted')],
    ['no', 'its protection was suspended', disk('suspended')],
    ['unknown', 'nobody knows', disk('unknown')],
    ['unknown', 'it was being encrypted', disk('converting')],
    ['no', 'somebody had its key', loss({ keyReads: { sinceRotation: 1, later: 0 } })],
    ['unknown', 'somebody read its key after the report', loss({ keyReads: { sinceRotation: 0, later: 1 } })],
    ['no', 'it was open', machine({ awake: 'yes' })],
    ['unknown', 'it may open by itself', machine({ unlocks: 'tpm_only' })],
  ])('%s, when %s', (shown, _when, of) => {
    expect(writeWorksheet(of).encryption.shown).toBe(shown);
  });
});

describe('what was reachable', () => {
  const named = {
    tool: 'Chat',
    username: 'ada',
    observed: 'active',
    observedAt: null,
    liveSessions: 2,
    credentials: [],
  };
  const account = { accountId: '1', ...named };
  const cut = {
    accountId: '1',
    tool: 'Chat',
    username: 'ada',
    state: 'done',
    reason: null,
    attestedBy: null,
    confirmedAt: after(2.5),
    residualUntil: null,
  };
  const cutOf = (...cuts: AssessedLoss['cuts']) =>
    writeWorksheet(loss({ reachable: [account], cuts })).reachable[0]?.cut;

  it('says when the tool showed it cut, until when old tokens may have worked, and what it doesn’t show', () => {
    expect(cutOf(cut)).toBe('shown 2.5 s after the report');
    expect(cutOf({ ...cut, residualUntil: after(3_600) })).toBe(
      'shown 2.5 s after the report; old tokens may have worked until 2026-11-23T04:00:00.000Z',
    );
    expect(cutOf({ ...cut, reason: 'The tool does not show its sessions.' })).toBe(
      'shown 2.5 s after the report. The tool does not show its sessions.',
    );
  });

  it('claims nothing that no tool showed', () => {
    expect(cutOf(cut, { ...cut, state: 'needs_human', confirmedAt: null })).toBe('not shown: the step is needs human');
    expect(cutOf({ ...cut, attestedBy: 'Grace', reason: 'Suspended on its page.' })).toBe(
      'on the word of Grace, 2.5 s after the report; the tool can’t be asked',
    );
    expect(cutOf({ ...cut, tool: 'Mail', accountId: '2' })).toBe('nothing was cut there');
  });

  it('tells two accounts at one tool apart, also in what an older version wrote', () => {
    const admins = { ...named, username: 'ada-admin' };
    const reachable = [account, { ...admins, accountId: '2' }, named, admins];
    const { reachable: seen } = writeWorksheet(loss({ reachable, cuts: [cut] }));
    expect(seen.map((one) => one.cut)).toEqual([
      'shown 2.5 s after the report',
      'nothing was cut there',
      'shown 2.5 s after the report',
      'nothing was cut there',
    ]);
  });
});

it('says what nobody knows', () => {
  const nothing = machine({ diskAgeSeconds: null, awake: 'unknown', unlocks: 'unknown' });
  const { unknowns } = writeWorksheet({ ...nothing, keyReads: { sinceRotation: 0, later: 2 } });
  expect(unknowns).toHaveLength(5);
  expect(unknowns).toContain('What became of its recovery key: it was read after the report, 2 times.');
  expect(writeWorksheet(loss()).unknowns).toEqual(['What was copied to the disk by hand.']);
});

it('has to be decided 72 hours after somebody became aware', () => {
  expect(writeWorksheet(loss()).notifyBy).toBe('2026-11-26T03:00:00.000Z');
});
