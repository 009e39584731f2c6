import { describe, expect, it } from 'vitest';
import { chooseOwner, dutyTime } from './human-duty.js';

describe('chooseOwner', () => {
  it('takes the first owner of the tool', () => {
    expect(chooseOwner(['grace@acme.example', 'linus@acme.example'], 'ada@acme.example')).toBe('grace@acme.example');
  });

  it('never takes the one whom the case is about, whatever the capitals', () => {
    expect(chooseOwner(['Ada@Acme.example', 'linus@acme.example'], 'ada@acme.example')).toBe('linus@acme.example');
  });

  it.each([[[]], [['ada@acme.example']]])('falls to the team when nobody else owns the tool (%j)', (owners) => {
    expect(chooseOwner(owners, 'ada@acme.example')).toBe('it-admins');
  });
});

describe('dutyTime', () => {
  it('gives an emergency less time than the taking away of access, and that less than the giving of it', () => {
    expect(dutyTime('emergency', 'revoke')).toBeGreaterThan(0);
    expect(dutyTime('emergency', 'grant')).toBe(dutyTime('emergency', 'revoke'));
    expect(dutyTime('standard', 'revoke')).toBeGreaterThan(dutyTime('emergency', 'revoke'));
    expect(dutyTime('standard', 'grant')).toBeGreaterThan(dutyTime('standard', 'revoke'));
    expect(dutyTime('bulk', 'look')).toBe(dutyTime('standard', 'revoke'));
  });
});
