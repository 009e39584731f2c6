import { describe, expect, it } from 'vitest';
import { errorRecord } from './error-record.js';

const CANARY = 'canary-8aF2';

describe('what of an error is logged', () => {
  it('is its kind, its sentence and where it came from', () => {
    const record = errorRecord(new TypeError('the tool gave no certificate'));
    expect(record).toMatchObject({ type: 'TypeError', message: 'the tool gave no certificate' });
    expect(record.stack).toContain('error-record.spec');
  });

  it('is nothing that JSON.parse quotes of what it could not read (I7)', () => {
    for (const text of [`{"token": ${CANARY}}`, `"${CANARY}`, CANARY]) {
      const error = thrownBy(() => JSON.parse(text));
      expect(JSON.stringify(errorRecord(new Error('outer', { cause: error })))).not.toContain('canary');
    }
  });

  it('is of a database error no statement, parameter or message, only its code and what it names (I7)', () => {
    const error = Object.assign(new Error(`invalid input syntax: "${CANARY}"`), {
      code: '22P02',
      table: 'tools',
      query: `SELECT '${CANARY}'`,
      parameters: [CANARY],
      driverError: Object.assign(new Error(CANARY), { code: '22P02', detail: CANARY, where: CANARY }),
    });
    const record = errorRecord(error);
    expect(record).toMatchObject({ code: '22P02', table: 'tools' });
    expect(JSON.stringify(record)).not.toContain(CANARY);
  });

  it('is no run of characters as long as a token', () => {
    const token = `qm_01234567_${'aB3-'.repeat(11)}`;
    expect(JSON.stringify(errorRecord(new Error(`no answer to ${token}`)))).not.toContain(token.slice(12));
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
